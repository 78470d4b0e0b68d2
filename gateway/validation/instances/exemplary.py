"""The choices behind an example: what a person would send at the least, or all that the profile has."""

from dataclasses import dataclass
from typing import Final

from gateway.validation.declarations import Attribute, Element, Group, Value
from gateway.validation.instances.generating import Place
from gateway.validation.instances.values import text_for
from gateway.validation.instances.wanted import SEVERAL

_PAN_CONTROLS: Final = ("3.15.0.54", "3.13.112.77", "3.20.9.82")
"""Start load control, show a text, set prices: what goes with PanDemandResponse, PanDisplay and PanPricing."""


@dataclass(frozen=True, slots=True)
class Minimal:
    """What the schema demands, and what is wanted besides: paths below the root, `MeterReading/Meter/mRID`."""

    wanted: frozenset[str]

    def times(self, place: Place, element: Element) -> int:
        """Write what is on the way to something wanted once, all else as often as it must stand."""
        return max(element.minimum, 1 if self._leads_on((*place.path[1:], element.local)) else 0)

    def rounds(self, place: Place, group: Group) -> int:
        """Write a group where something in it is wanted."""
        return max(group.minimum, 1 if any(self.times(place, e) > e.minimum for e in group.elements()) else 0)

    def branch(self, place: Place, choice: Group, _turn: int) -> int:
        """Take the branch with something wanted in it, else the first."""
        for number, part in enumerate(choice.parts):
            inside = [part] if isinstance(part, Element) else list(part.elements()) if isinstance(part, Group) else []
            if any(self._leads_on((*place.path[1:], element.local)) for element in inside):
                return number
        return 0

    def has(self, _place: Place, attribute: Attribute) -> bool:
        """Write a reference: without it the element says nothing."""
        return attribute.name == "ref"

    def text(self, place: Place, value: Value, attribute: str = "") -> str:
        """Give a value that reads well."""
        return text_for(place, value, attribute)

    def _leads_on(self, path: tuple[str, ...]) -> bool:
        return "/".join(path) in self.wanted


@dataclass(frozen=True, slots=True)
class Full:
    """Every element once; once more for each further branch of a choice in it, where it may repeat."""

    def times(self, place: Place, element: Element) -> int:
        """Write an element for each branch of the widest choice in it, and twice where two say more than one."""
        content = element.type.content
        return max(_branches(content) if content is not None else 1, SEVERAL.get((place.name, element.local), 1))

    def rounds(self, _place: Place, group: Group) -> int:
        """Write each group once, a choice that may repeat with each of its branches."""
        return len(group.parts) if group.model == "choice" else 1

    def branch(self, place: Place, choice: Group, turn: int) -> int:
        """Take one branch after the other."""
        return (place.numbers[-1] + turn) % len(choice.parts)

    def has(self, _place: Place, _attribute: Attribute) -> bool:
        """Write every attribute."""
        return True

    def text(self, place: Place, value: Value, attribute: str = "") -> str:
        """Give a value that reads well."""
        if (place.name, attribute) == ("EndDeviceControlType", "ref"):
            return _PAN_CONTROLS[place.numbers[-2] % len(_PAN_CONTROLS)]
        return text_for(place, value, attribute)


def _branches(group: Group) -> int:
    """Give the number of parts of the widest choice among the direct children that can be taken but once."""
    inner = [_branches(part) for part in group.parts if isinstance(part, Group)]
    own = len(group.parts) if group.model == "choice" and group.maximum == 1 else 1
    return max([own, *inner])
