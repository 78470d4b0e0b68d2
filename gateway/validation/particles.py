"""What a schema lets stand inside one element, as a row of slots."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

OTHER: Final = "*"
"""Stands in a slot's names for a wildcard."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in the content of an element: the names that may stand there, and how often.

    `either` tells that the names are those of a choice of which but one may be taken.
    """

    names: tuple[str, ...]
    required: bool
    maximum: int | None
    either: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """The slots of one element, in order unless the schema leaves the order open."""

    slots: tuple[Slot, ...]
    ordered: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """All names that may stand in the element, as `{namespace}local`."""
        return tuple(name for slot in self.slots for name in slot.names if name != OTHER)

    def slot_of(self, tag: str) -> int | None:
        """Give the number of the slot that takes a name, None where none does."""
        return next((number for number, slot in enumerate(self.slots) if tag in slot.names), None)

    def missing(self, children: Sequence[str]) -> tuple[int, ...]:
        """Give the numbers of all required slots that none of the children fills."""
        present = frozenset(children)
        return tuple(n for n, slot in enumerate(self.slots) if slot.required and present.isdisjoint(slot.names))
