"""How a partner writes what the gateway writes in its own way: other namespaces, other nouns, other roots."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ANY_NOUN: Final = "*"
"""Stands in a namespace for the noun: `http://iec.ch/TC57/2010/*#`."""


@dataclass(frozen=True, slots=True)
class NamespaceMap:
    """Pairs of namespaces, theirs and ours; `*` in them stands for the noun, that of the payload's root.

    Several of theirs may be one of ours: the first pair then tells how they are written to.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    def ours(self, theirs: str, noun: str) -> str | None:
        """Give our namespace for one of theirs, `noun` being the root's name there; None where no pair has it."""
        for pattern, target in self.pairs:
            noun_part = filled(theirs, pattern, noun)
            if noun_part is not None:
                return target.replace(ANY_NOUN, noun_part)
        return None

    def theirs(self, ours: str) -> str | None:
        """Give their namespace for one of ours; None where they write it as we do."""
        for target, pattern in self.pairs:
            noun_part = filled(ours, pattern, "")
            if noun_part is not None:
                return target.replace(ANY_NOUN, noun_part)
        return None

    def also(self, pairs: Iterable[tuple[str, str]]) -> "NamespaceMap":
        """Give a map in which these pairs come first."""
        return NamespaceMap((*pairs, *self.pairs))


AS_OURS: Final = NamespaceMap()
"""The map of a partner whose namespaces are ours."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How to write to a partner: what was undone when its message was read is done again to what it gets.

    `nouns` are pairs, theirs and ours. `typed` is the namespace of strongly typed messages, `soap` that of the SOAP
    envelope; both empty where the partner sends the generic message alone.
    """

    namespaces: NamespaceMap = AS_OURS
    nouns: tuple[tuple[str, str], ...] = ()
    typed: str = ""
    soap: str = ""


CANONICAL: Final = Speech()
"""The speech of everyone who writes as the standard has it."""


def filled(namespace: str, pattern: str, noun: str) -> str | None:
    """Give what `*` stands for in a namespace that fits the pattern (the noun where the pattern has none)."""
    head, star, tail = pattern.partition(ANY_NOUN)
    if not star:
        return noun if namespace == pattern else None
    middle = namespace.removeprefix(head).removesuffix(tail)
    return middle if middle.isalnum() and namespace == f"{head}{middle}{tail}" else None
