"""What messages have in common is stored once: a message names its stamp, and which event types there are is known.

A stamp is all of a message that has few values: direction, source, noun, outcome and so on, together. Some thousands
of stamps cover millions of messages, so that any search among these is an answer from the stamps, made here, and an
index over the stamp of each message.
"""

import json
import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from operator import attrgetter
from typing import Final, cast

from gateway.store.journal.values import JournalSearch, Passage

Stamp = tuple[str | tuple[str, ...], ...]
Word = tuple[str, bytes, str]
"""Kind, digest and text, as it is stored: JSON in ASCII, which every database can hold."""

STAMPED: Final = (
    "direction", "source", "system", "kind", "verb", "noun", "context", "outcome", "rule", "code", "keep", "verdict",
    "routes",
)  # fmt: skip
_SEARCHED: Final = STAMPED[:11]
STAMP: Final = "s"
EVENT: Final = "e"
stamp_of = cast("attrgetter[Stamp]", attrgetter(*STAMPED))


class Words:
    """The stamps and event types of a journal, as far as this process has seen them."""

    def __init__(self) -> None:
        self.stamps: dict[Stamp, int] = {}
        self.by_id: dict[int, Stamp] = {}
        self.events: dict[str, int] = {}

    def learn(self, rows: Iterable[tuple[int, str, str]]) -> None:
        """Take in what is committed: number, kind and text."""
        for number, kind, text in rows:
            read = json.loads(text)
            if kind == EVENT:
                self.events[read] = number
            else:
                stamp = tuple(tuple(part) if isinstance(part, list) else part for part in read)
                self.stamps[stamp] = number
                self.by_id[number] = stamp

    def unknown(self, passages: Sequence[Passage]) -> list[Word]:
        """Give the words of messages that must be stored first."""
        stamps = {stamp for stamp in map(stamp_of, passages) if stamp not in self.stamps}
        events = {event for passage in passages for event in passage.events if event not in self.events}
        return [_word(STAMP, stamp) for stamp in stamps] + [_word(EVENT, event) for event in events]

    def matching(self, search: JournalSearch) -> list[int] | None:
        """Give the stamps of which all is true that is asked for; None where nothing is."""
        wanted = [
            (at, _pattern(text)) for at, name in enumerate(_SEARCHED) if (text := getattr(search, name)) is not None
        ]
        if not wanted:
            return None
        return [
            number
            for stamp, number in self.stamps.items()
            if all(pattern.fullmatch(cast("str", stamp[at])) for at, pattern in wanted)
        ]

    def events_like(self, text: str) -> list[str]:
        """Give the event types that a text with `*` stands for."""
        pattern = _pattern(text)
        return [event for event in self.events if pattern.fullmatch(event)]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def _word(kind: str, value: Stamp | str) -> Word:
    text = json.dumps(value)
    return kind, blake2b(f"{kind}{text}".encode(), digest_size=16).digest(), text
