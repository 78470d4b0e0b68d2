"""Writes an instance of an element that a schema declares; what is open, a caller chooses."""

from dataclasses import dataclass
from typing import Final, Protocol

from lxml import etree

from gateway.validation.declarations import Attribute, Element, Group, Value, Wildcard
from gateway.validation.wording import namespace

_DEEPEST: Final = 60
"""Elements in each other; a schema that demands more holds itself without end."""


class NotWritable(ValueError):  # noqa: N818 - says what cannot be written
    """No instance can be written; the text says what at which place stands against it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a choice is made: for each element from the root its local name, that of its type, and its number.

    A type without a name goes by its element's. The number counts the elements of the same name beside it, from 0.
    """

    path: tuple[str, ...]
    owners: tuple[str, ...]
    numbers: tuple[int, ...]

    @property
    def name(self) -> str:
        """The element's own name."""
        return self.path[-1]

    def __str__(self) -> str:
        """Give the path as it is written: `MeterReadings/MeterReading`."""
        return "/".join(self.path)


class Choices(Protocol):
    """Decides what a schema leaves open. `place` is the element that will hold the thing, or the text."""

    def times(self, place: Place, element: Element) -> int:
        """Say how often an element is written; what is out of its bounds is brought into them."""

    def rounds(self, place: Place, group: Group) -> int:
        """Say how often a group is written that need not stand exactly once; bounds as above."""

    def branch(self, place: Place, choice: Group, turn: int) -> int:
        """Say which part of a choice is written, by its number; `turn` counts the rounds of the choice, from 0."""

    def has(self, place: Place, attribute: Attribute) -> bool:
        """Say whether an attribute is written that need not be."""

    def text(self, place: Place, value: Value, attribute: str = "") -> str:
        """Give the text of an element, or of an attribute of it."""


def instance_of(element: Element, choices: Choices) -> etree._Element:
    """Write one instance of an element, its namespace as the default one.

    Raises `NotWritable` where the schema demands an element that it does not name, or no end.
    """
    return _Writer(choices).element(element, None, (), ())


class _Writer:
    def __init__(self, choices: Choices) -> None:
        self._choices = choices

    def element(
        self, element: Element, parent: etree._Element | None, above: tuple[Element, ...], numbers: tuple[int, ...]
    ) -> etree._Element:
        line = (*above, element)
        owners = tuple(item.type.name or item.local for item in line)
        place = Place(tuple(item.local for item in line), owners, (*numbers, _older(element, parent)))
        if len(line) > _DEEPEST:
            raise NotWritable(f"The schema demands elements in each other without end: {place}.")
        if parent is None:
            written = etree.Element(
                element.name, nsmap={None: namespace(element.name)} if "}" in element.name else None
            )
        else:
            written = etree.SubElement(parent, element.name)
        for attribute in element.type.attributes:
            if attribute.required or self._choices.has(place, attribute):
                text = attribute.fixed or self._choices.text(place, attribute.value, attribute.name)
                written.set(attribute.name, text)
        if element.type.content is not None:
            self._group(element.type.content, written, line, place)
        elif element.type.value is not None:
            written.text = self._choices.text(place, element.type.value)
        return written

    def _group(self, group: Group, parent: etree._Element, line: tuple[Element, ...], place: Place) -> None:
        once = (group.minimum, group.maximum) == (1, 1)
        for turn in range(1 if once else _within(self._choices.rounds(place, group), group)):
            if group.model == "choice":
                if group.parts:
                    self._part(group.parts[self._choices.branch(place, group, turn)], parent, line, place)
            else:
                for part in group.parts:
                    self._part(part, parent, line, place)

    def _part(
        self, part: Element | Wildcard | Group, parent: etree._Element, line: tuple[Element, ...], place: Place
    ) -> None:
        if isinstance(part, Group):
            self._group(part, parent, line, place)
        elif isinstance(part, Wildcard):
            if part.minimum:
                raise NotWritable(f"{place} must hold an element that the schema does not name.")
        else:
            again = part.minimum == 0 and any(part.type.content and part.type.is_same(item.type) for item in line)
            times = 0 if again else _within(self._choices.times(place, part), part)
            for _ in range(times):
                self.element(part, parent, line, place.numbers)


def _older(element: Element, parent: etree._Element | None) -> int:
    return 0 if parent is None else sum(1 for _ in parent.iterchildren(element.name))


def _within(number: int, part: Element | Group) -> int:
    most = number if part.maximum is None else min(number, part.maximum)
    return max(part.minimum, most)
