"""Messages of a `.cimlog` file put into a journal, marked, and each once however often that is done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO, Final

from gateway.cli._journal_export import Tally
from gateway.cli._journal_records import ids_of, imported
from gateway.cli._shared import complain
from gateway.store.journal import JournalSearch, Passage
from gateway.traffic import BadRecord, Damaged, OverLimits, Reader, Record

if TYPE_CHECKING:
    from gateway.store.journal import Journal

_AT_ONCE: Final = 500
_BYTES_AT_ONCE: Final = 8 * 1024 * 1024
_MICROSECOND: Final = 1e-6


@dataclass(slots=True)
class Imported:
    """What came of it: what the file holds, how many of these were there before, what was wrong with the file."""

    about: dict[str, object]
    tally: Tally = field(default_factory=Tally)
    there: int = 0
    problem: str = ""


async def import_all(journal: "Journal", file: BinaryIO, advance: Callable[[int], None]) -> Imported:
    """Put all records of a file into a journal; `advance` hears how many bytes are read.

    What stands before a damaged place is imported. Raises `NotTraffic` where the file is none.
    """
    reader = Reader(file)
    done = Imported(reader.about)
    for batch in _batches(reader, done):
        await _put(journal, batch, done)
        advance(reader.end)
    if reader.cut and not done.problem:
        done.problem = "It ends within a frame: whoever wrote it was stopped, or still writes. What is whole was read."
    return done


def _batches(reader: Reader, done: Imported) -> Iterator[list[Record]]:
    """Give records some at a time, to the end or to what is damaged."""
    batch: list[Record] = []
    size = 0
    try:
        for record in reader.records():
            batch.append(record)
            size += len(record.body or b"")
            if len(batch) >= _AT_ONCE or size >= _BYTES_AT_ONCE:
                yield batch
                batch, size = [], 0
    except (Damaged, OverLimits) as error:
        done.problem = str(error)
    if batch:
        yield batch


async def _put(journal: "Journal", batch: list[Record], done: Imported) -> None:
    """Write those of a batch that are not there."""
    new: dict[int, Passage] = {}
    times = [record.at.timestamp() for record in batch]
    around = JournalSearch(since=min(times) - _MICROSECOND, until=max(times) + 2 * _MICROSECOND)
    occupied = bool(await journal.find(around, 1))
    for record in batch:
        try:
            candidate = await _placed(record, new, journal if occupied else None)
        except BadRecord as error:
            done.tally.left_out += 1
            complain(f"The message of {record.at.isoformat()} is left out: {error}.")
            continue
        done.there += candidate is None
        if candidate is not None:
            new[candidate.id] = candidate
        done.tally.add(record.at.timestamp(), str(record.more.get("kind", "")), record.body)
    await journal.write([*new.values()])


async def _placed(record: Record, new: dict[int, Passage], journal: "Journal | None") -> Passage | None:
    """Give a record the first id that is free, None where it is there already. Raises `BadRecord`."""
    passage = imported(record)
    for id_ in ids_of(record):
        candidate = replace(passage, id=id_)
        there = new.get(id_) or (await journal.get(id_) if journal is not None else None)
        if there is None:
            return candidate
        if there == candidate:
            return None
    raise BadRecord("all ids of its microsecond are taken")
