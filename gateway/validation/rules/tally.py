"""Faults that repeat: told once, at the first place, with how often they were met. Nothing here holds an element."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from lxml import etree

from gateway.message import Finding
from gateway.validation.faults import MAX_FAULTS
from gateway.validation.registry import Place, Rule

Key = TypeVar("Key", bound=Hashable)

_MOST_KEYS: Final = 200
"""Distinct faults that are remembered of one payload; who sent more of them is told enough."""


@dataclass(slots=True)
class Note:
    """One fault: its first place, and how many places it has."""

    place: Place
    times: int = 1

    @property
    def more(self) -> str:
        """The end of a sentence that tells of the other places: empty where there are none."""
        others = self.times - 1
        return f" The same in {others} more place{'' if others == 1 else 's'}." if others else ""


class Tally(Generic[Key]):
    """Counts faults by key, in the order in which they were first met."""

    def __init__(self, path: Callable[[etree._Element], str]) -> None:
        self._path = path
        self._notes: dict[Key, Note] = {}

    def add(self, key: Key, element: etree._Element) -> None:
        """Note a fault of an element."""
        note = self._notes.get(key)
        if note is not None:
            note.times += 1
        elif len(self._notes) < _MOST_KEYS:
            self._notes[key] = Note(Place.of(element, self._path))

    def __iter__(self) -> Iterator[tuple[Key, Note]]:
        return iter(self._notes.items())


class Room:
    """How much may still be told of each rule. Counted rule by rule: of a rule that is broken at least one is told."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def has(self, rule: Rule) -> bool:
        """Tell whether another finding of a rule may be told."""
        return self._told.get(rule.id, 0) < MAX_FAULTS

    def tell(
        self,
        rule: Rule,
        place: etree._Element | Place,
        text: str,
        advice: str,
        *,
        found: str = "",
        allowed: Iterable[str] = (),
    ) -> Iterator[Finding]:
        """Tell that a rule is broken, where there is room. To find the place of an element among many takes long."""
        if self.has(rule):
            yield from self.take([rule.finding(place, text, advice, found=found, allowed=allowed)])

    def take(self, findings: Iterable[Finding]) -> list[Finding]:
        """Give the findings for which there is room. Take them at once: `has` counts what was taken."""
        taken: list[Finding] = []
        for finding in findings:
            told = self._told.get(finding.rule, 0)
            if told < MAX_FAULTS:
                self._told[finding.rule] = told + 1
                taken.append(finding)
        return taken
