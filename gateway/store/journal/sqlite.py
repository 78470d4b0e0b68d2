"""A journal in one SQLite file, beside that of the conversations: two writers do not wait for each other."""

import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from gateway.store._migrating import Chain, is_current, migrate
from gateway.store._trouble import translated_at_opening
from gateway.store.journal._lane import Lane
from gateway.store.journal._sqlite_finding import Finder
from gateway.store.journal._sqlite_sealing import Sealing
from gateway.store.journal._sqlite_writing import Writer
from gateway.store.journal.counting import counted, tallied
from gateway.store.journal.ids import END, PassageIds, id_at
from gateway.store.journal.searching import is_of_stamps
from gateway.store.journal.values import Count, JournalSearch, Passage
from gateway.store.journal.walking import PAGE, Page, walked
from gateway.store.sqlite import PRAGMAS, make_file

_READERS = 3
_SEALING = Sealing()
_COUNTED_AT_ONCE = 1_000


class SqliteJournal:
    """A journal whose file is there and has its tables. `part` tells this opening from others (see ids)."""

    def __init__(self, path: Path, patience: float, part: int, sealing: Sealing = _SEALING) -> None:
        what = f"the journal {path}"
        self._ids = PassageIds(part)
        self._writer = Lane(lambda: Writer(connected(path, patience, writes=True), sealing), 1, what)
        self._readers = Lane(lambda: Finder(connected(path, patience, writes=False)), _READERS, what)

    def new_id(self, at: float | None = None) -> int:
        """Give an id for a message of this time, or of now."""
        return self._ids.new(at)

    async def write(self, passages: Sequence[Passage]) -> None:
        """Keep messages: all, for good, or StoreUnavailable and none or all. Ids that are there stay as they are."""
        if passages:
            long_tail = await self._writer.run(lambda writer: writer.write(passages))
            if long_tail:
                self._writer.later(Writer.seal)

    async def find(
        self, search: JournalSearch, limit: int = 50, *, after: int | None = None, oldest_first: bool = False
    ) -> list[Passage]:
        """Give the messages to which all applies that is asked for, without bodies."""
        found, _ = await self._readers.run(lambda finder: finder.find(search, limit, after, oldest_first=oldest_first))
        return found

    async def get(self, id_: int) -> Passage | None:
        """Give a message with its body."""
        return await self._readers.run(lambda finder: finder.get(id_))

    async def bodies(self, ids: Collection[int]) -> dict[int, bytes]:
        """Give bodies by the ids of their messages."""
        return await self._readers.run(lambda finder: finder.bodies(ids))

    def walk(self, search: JournalSearch, *, after: int | None = None) -> AsyncIterator[Passage]:
        """Give all messages of a search with their bodies, oldest first; some hundred are in memory."""

        async def page(last: int | None) -> Page:
            return await self._readers.run(
                lambda finder: finder.find(search, PAGE, last, oldest_first=True, bodies=True)
            )

        async def large_body(id_: int) -> bytes | None:
            return await self._readers.run(lambda finder: finder.large_body(id_))

        return walked(page, large_body, after)

    async def stats(self, search: JournalSearch, per: int = 3600) -> list[Count]:
        """Count messages by the time, and by noun, verb, source and outcome; oldest first, the most of a time first."""
        if is_of_stamps(search):
            rows, stamps = await self._readers.run(lambda finder: (finder.counts(search, per), finder.words.by_id))
            return counted(rows, stamps, per)
        return await tallied(self, search, per, _COUNTED_AT_ONCE)

    async def purge(self, before: float, *, noun: str | None = None, keep: str | None = None, limit: int = 1000) -> int:
        """Remove at most `limit` messages from before a time, of this noun and class alone where they are given."""
        search = JournalSearch(noun=noun, keep=keep)
        return await self._writer.run(lambda writer: writer.purge(search, id_at(before), limit))

    async def purge_to(self, size: int, *, limit: int = 1000) -> int:
        """Remove at most `limit` of the oldest messages while the journal takes more than `size` bytes."""
        return await self._writer.run(
            lambda writer: writer.purge(JournalSearch(), END, limit) if writer.size() > size else 0
        )

    async def size(self) -> int:
        """Give the bytes of the file that are in use."""
        return await self._writer.run(Writer.size)

    async def close(self) -> None:
        """Close all connections, after what is under way."""
        await self._writer.close()
        await self._readers.close()


def connected(path: Path, patience: float, *, writes: bool) -> sqlite3.Connection:
    """Connect to the file."""
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        if writes and not connection.execute("PRAGMA page_count").fetchone()[0]:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # else it never shrinks; a new file hears it first
        for pragma in PRAGMAS if writes else ("query_only=ON", *PRAGMAS):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def prepared(path: Path, patience: float, chain: Chain, *, reader: bool) -> int:
    """Make the file and its tables where they are not there; gives the number of this opening, 0 for a reader's.

    Raises StoreUnusable for what a person must mend.
    """
    make_file(path)
    with translated_at_opening(f"the journal {path}"):
        connection = connected(path, patience, writes=True)
        engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        try:
            with engine.connect() as migrating:
                if reader and is_current(migrating, chain):
                    return 0
                migrating.exec_driver_sql("BEGIN IMMEDIATE")
                migrate(migrating, chain)
                migrating.exec_driver_sql("COMMIT")
            connection.execute("BEGIN IMMEDIATE")
            number = int(connection.execute("PRAGMA user_version").fetchone()[0]) + 1
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        finally:
            engine.dispose()
            connection.close()
    return number
