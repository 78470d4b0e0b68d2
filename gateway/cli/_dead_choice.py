"""Which dead letters a command is about, and how they are counted."""

from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from gateway.broker.letter import Letter

_SHORTEST: Final = 6
"""Characters of the beginning of an id that may stand for it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a letter must be; None does not restrict. In the texts `*` stands for any characters.

    `ids` are numbers in the queue, MessageIDs, CorrelationIDs or the letters' own ids; all others their beginning.
    Times are when the message first became a dead letter: from `since` (inclusive) to `until` (exclusive).
    """

    ids: tuple[str, ...] = ()
    reason: str | None = None
    noun: str | None = None
    source: str | None = None
    rule: str | None = None
    code: str | None = None
    since: float | None = None
    until: float | None = None

    @property
    def everything(self) -> bool:
        """Tell whether nothing is asked for."""
        return self == Choice()

    def named(self, letter: Letter) -> str | None:
        """Give which of `ids` means this letter; None where none does."""
        known = (letter.id, letter.message_id, letter.correlation_id)
        for id_ in self.ids:
            if is_number(id_):
                if int(id_) == letter.position:
                    return id_
            elif id_ in known or (len(id_) >= _SHORTEST and any(one.startswith(id_) for one in known)):
                return id_
        return None

    def takes(self, letter: Letter) -> bool:
        """Tell whether a letter is meant."""
        if self.ids and self.named(letter) is None:
            return False
        wanted = (
            (self.reason, letter.text("reason")),
            (self.noun, letter.noun),
            (self.source, letter.source),
            (self.rule, letter.text("rule")),
            (self.code, letter.text("code")),
        )
        if not all(pattern is None or fnmatchcase(text, _only_stars(pattern)) for pattern, text in wanted):
            return False
        at = letter.first_seen
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


def is_number(text: str) -> bool:
    """Tell whether an id is the number of a letter in the queue. Longer ones are ids of systems that count."""
    return text.isascii() and text.isdecimal() and len(text) < _SHORTEST + 1


def _only_stars(pattern: str) -> str:
    return pattern.replace("[", "[[]").replace("?", "[?]")


@dataclass(slots=True)
class Group:
    """Letters with the same cause. `text` is what the latest says; times in seconds since the epoch."""

    reason: str
    rule: str
    code: str
    letters: int = 0
    first: float = 0.0
    latest: float = 0.0
    text: str = ""
    nouns: Counter[str] = field(default_factory=Counter)


class Groups:
    """Counts letters by what is wrong."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str], Group] = {}

    def add(self, letter: Letter) -> None:
        """Count one."""
        key = (letter.text("reason"), letter.text("rule"), letter.text("code"))
        at = letter.first_seen
        group = self._groups.setdefault(key, Group(*key, first=at, latest=at))
        group.letters += 1
        group.first, group.latest = min(group.first, at), max(group.latest, at)
        group.nouns[letter.noun or "(no noun)"] += 1
        group.text = letter.text("text")

    def largest_first(self) -> list[Group]:
        """Give the groups."""
        return sorted(self._groups.values(), key=lambda group: (-group.letters, group.first))

    @property
    def letters(self) -> int:
        """How many letters were counted."""
        return sum(group.letters for group in self._groups.values())
