"""Where recorded messages come from: the journal, or a file of recorded traffic; each from any place on."""

import hashlib
import re
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Protocol

from gateway.message.blanking import MARK
from gateway.replay import Recorded
from gateway.store.journal import Journal, JournalSearch, Passage
from gateway.traffic import Direction, Reader, Record, survey

_FINGERPRINT_BYTES: Final = 1024 * 1024
_KIND: Final = re.compile(rb"<(?:[\w.-]+:)?(RequestMessage|ResponseMessage|EventMessage|FaultMessage)\b")
_KIND_WITHIN: Final = 2_000
_SEARCHABLE: Final = frozenset(
    {"direction", "source", "system", "verb", "noun", "kind", "context", "outcome", "message_id", "correlation_id",
     "since", "until"}
)  # fmt: skip


class FileChanged(ValueError):  # noqa: N818 - says what happened
    """The file is not the one with which the replay was begun."""


class Source(Protocol):
    """Recorded messages, in an order that stays."""

    def messages(self, after: int) -> AsyncGenerator[Recorded, None]:
        """Give those whose position is higher, with their bodies, the lowest first."""
        ...


@dataclass(frozen=True, slots=True)
class JournalSource:
    """Messages that the journal keeps; their ids are their positions."""

    journal: Journal
    search: JournalSearch

    async def messages(self, after: int) -> AsyncGenerator[Recorded, None]:
        """Give those after an id."""
        async for passage in self.journal.walk(self.search, after=after or None):
            yield _of_passage(passage)


@dataclass(frozen=True, slots=True)
class FileSource:
    """Messages of a `.cimlog` file, up to `records`; their numbers are their positions.

    Raises as `gateway.traffic.Reader` does.
    """

    path: Path
    search: JournalSearch
    records: int

    async def messages(self, after: int) -> AsyncGenerator[Recorded, None]:
        """Give those after a number."""
        wanted = Wanted(self.search)
        with self.path.open("rb") as file:
            for number, record in enumerate(Reader(file).records(), 1):
                if number > self.records:
                    return
                if number > after and wanted.accepts(found := _of_record(number, record)):
                    yield found


@dataclass(frozen=True, slots=True)
class Surveyed:
    """How many records a file holds, and what tells it from another."""

    records: int
    fingerprint: str


def surveyed(path: Path) -> Surveyed:
    """Look a file through. Raises OSError, and as `gateway.traffic.survey` does."""
    with path.open("rb") as file:
        found = survey(file)
    return Surveyed(found.records, f"{found.end} {_digest(path, found.end)}")


def check_unchanged(path: Path, fingerprint: str) -> None:
    """Raise `FileChanged` where a file does not begin as it did; it may have grown."""
    end, _, digest = fingerprint.partition(" ")
    if path.stat().st_size < int(end) or _digest(path, int(end)) != digest:
        raise FileChanged(f"{path} is not the file with which the replay was begun.")


def not_in_files(search: JournalSearch) -> list[str]:
    """Name what a search asks for that a file of recorded traffic does not tell."""
    return [one.name for one in fields(search) if one.name not in _SEARCHABLE and getattr(search, one.name) is not None]


class Wanted:
    """A search as the journal does it, for messages that come from elsewhere."""

    def __init__(self, search: JournalSearch) -> None:
        self._search = search
        texts = ("source", "system", "verb", "noun", "kind", "outcome")
        self._patterns = tuple(self._compiled(texts, search))
        self._context = None if search.context is None else _pattern(search.context)

    def accepts(self, message: Recorded) -> bool:
        """Tell whether all applies that is asked for."""
        search = self._search
        return (
            (search.since is None or message.at >= search.since)
            and (search.until is None or message.at < search.until)
            and (search.message_id is None or message.message_id == search.message_id)
            and (search.correlation_id is None or message.correlation_id == search.correlation_id)
            and all(pattern.fullmatch(getattr(message, name)) for name, pattern in self._patterns)
            and (self._context is None or bool(self._context.fullmatch(message.routing_key.partition(".")[0])))
        )

    @staticmethod
    def _compiled(names: tuple[str, ...], search: JournalSearch) -> Iterator[tuple[str, re.Pattern[str]]]:
        for name in names:
            if (text := getattr(search, name)) is not None:
                yield name, _pattern(text)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)


def _digest(path: Path, end: int) -> str:
    with path.open("rb") as file:
        return hashlib.sha256(file.read(min(end, _FINGERPRINT_BYTES))).hexdigest()


def _of_passage(passage: Passage) -> Recorded:
    return Recorded(
        position=passage.id,
        at=passage.at,
        incoming=passage.direction == Direction.IN.value,
        body=passage.body,
        kind=passage.kind,
        source=passage.source,
        system=passage.system,
        verb=passage.verb,
        noun=passage.noun,
        message_id=passage.message_id or "",
        correlation_id=passage.correlation_id or "",
        outcome=passage.outcome,
        routing_key=passage.routing_key,
        masked=passage.body is not None and MARK.encode() in passage.body,
    )


def _of_record(number: int, record: Record) -> Recorded:
    kind = _KIND.search(record.body, 0, _KIND_WITHIN) if record.body is not None else None
    told = record.more.get("kind")
    return Recorded(
        position=number,
        at=record.at.timestamp(),
        incoming=record.direction is Direction.IN,
        body=record.body,
        kind=told if isinstance(told, str) else kind[1].decode() if kind else "",
        source=record.source,
        system=record.system,
        verb=record.verb,
        noun=record.noun,
        message_id=record.message_id,
        correlation_id=record.correlation_id,
        outcome=record.verdict,
        routing_key=record.routing_key,
        reply_to=record.reply_to,
        headers={name: value for name, value in record.headers.items() if isinstance(value, str | int | bool)},
        masked=record.masked,
    )
