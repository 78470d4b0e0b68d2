"""The dialect of a source: what of its writing is translated, and whether what is safe is repaired."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.message.speech import AS_OURS, CANONICAL, NamespaceMap, Speech

EVERYBODY: Final = "*"
"""Names the dialect of every source that has none of its own."""

KNOWN_ALIASES: Final[Mapping[str, str]] = MappingProxyType({"MeterServiceRequest": "MeterServiceRequests"})
"""Nouns of drafts; a lenient dialect reads them as what they became."""


class Tense(StrEnum):
    """Whose word counts where the operation of a strongly typed message says created and its header create.

    One is a report and the other a command, so it is never guessed.
    """

    OPERATION = "operation"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one source writes. Namespaces and nouns that are named here are translated in both modes.

    `nouns` maps theirs to ours. A lenient dialect also repairs what can be meant in one way only; a strict one leaves
    that to be refused. `speech` is how to write to the source as long as no message of its own shows it.
    """

    lenient: bool = False
    namespaces: NamespaceMap = AS_OURS
    nouns: Mapping[str, str] = field(default_factory=dict)
    tense: Tense | None = None
    speech: Speech = CANONICAL

    @property
    def aliases(self) -> Mapping[str, str]:
        """All nouns that are read as another."""
        return {**KNOWN_ALIASES, **self.nouns} if self.lenient else self.nouns


STRICT: Final = Dialect()
"""The dialect of sources that write as the standard has it."""


class Dialects:
    """The dialects by Header.Source; that of `*` is for every source without one of its own."""

    def __init__(self, by_source: Mapping[str, Dialect] = MappingProxyType({})) -> None:
        self._by_source = dict(by_source)
        self._everybody = self._by_source.get(EVERYBODY, STRICT)

    def __bool__(self) -> bool:
        """Tell whether any source has a dialect."""
        return bool(self._by_source)

    def of(self, source: str | None) -> Dialect:
        """Give the dialect of a source."""
        return self._by_source.get((source or "").strip(), self._everybody)

    def speech_of(self, source: str) -> Speech:
        """Give how to write to a source that has an entry of its own; to others as the standard has it."""
        dialect = self._by_source.get(source)
        return CANONICAL if dialect is None else dialect.speech
