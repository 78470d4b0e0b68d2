"""A journal on PostgreSQL, shared by any number of gateway processes; written by COPY, a partition for each day."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar, cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.store._migrating import Chain, is_current, migrate
from gateway.store._trouble import translated, translated_at_opening
from gateway.store.journal._postgres_days import LOCK, Days
from gateway.store.journal._postgres_finding import Finder
from gateway.store.journal.counting import counted, tallied
from gateway.store.journal.frames import Frames
from gateway.store.journal.ids import PassageIds, id_at
from gateway.store.journal.keys import keys_of, signed
from gateway.store.journal.searching import folded, is_of_stamps, planned
from gateway.store.journal.values import Count, JournalSearch, Passage
from gateway.store.journal.walking import PAGE, Page, walked
from gateway.store.journal.words import Stamp, stamp_of
from gateway.store.postgres import engine
from gateway.store.sql import connected

if TYPE_CHECKING:
    from gateway.store.journal._postgres_days import Connection

_WHAT: Final = "the journal"
_COLUMNS: Final = ("id", "stamp", "keys", "frame", "reason", "body")
_ADD_WORDS: Final = (
    "INSERT INTO passage_word(kind, digest, text) SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[]) "
    "ON CONFLICT DO NOTHING"
)
_SIZE: Final = (
    "SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint FROM pg_inherits "
    "WHERE inhparent = 'passage'::regclass"
)
_COUNTED_AT_ONCE: Final = 1_000
_Record = tuple[int, int, list[int], bytes, str | None, bytes | None]
R = TypeVar("R")


class PostgresJournal:
    """A journal whose tables are there. `part` tells this opening from others (see ids)."""

    def __init__(self, shared: AsyncEngine, part: int) -> None:
        self._engine = shared
        self._ids = PassageIds(part)
        self._days = Days()
        self._finder = Finder()
        self._frames = Frames()
        self._packer = ThreadPoolExecutor(1, thread_name_prefix="journal")

    def new_id(self, at: float | None = None) -> int:
        """Give an id for a message of this time, or of now."""
        return self._ids.new(at)

    async def write(self, passages: Sequence[Passage]) -> None:
        """Keep messages: all, for good, or StoreUnavailable and none or all. Ids that are there stay as they are."""
        if not passages:
            return
        async with self._connected() as connection:
            await self._add_words(connection, passages)
            stamps = self._finder.words.stamps
            records = await self._in_thread(lambda: _records(passages, self._frames, stamps))
            await self._days.have(connection, (passage.id for passage in passages))
            try:
                await _copy(connection, records)
            except asyncpg.UniqueViolationError:  # this is the repetition of a write of unknown outcome
                await _copy_new(connection, records)
            except asyncpg.CheckViolationError:  # another process has dropped this day
                self._days.forget()
                await self._days.have(connection, (passage.id for passage in passages))
                await _copy_new(connection, records)

    async def find(
        self, search: JournalSearch, limit: int = 50, *, after: int | None = None, oldest_first: bool = False
    ) -> list[Passage]:
        """Give the messages to which all applies that is asked for, without bodies."""
        async with self._connected() as connection:
            found, _ = await self._finder.find(connection, search, limit, after, oldest_first=oldest_first)
        return found

    async def get(self, id_: int) -> Passage | None:
        """Give a message with its body."""
        async with self._connected() as connection:
            passage, is_large = (await self._finder.load(connection, [id_], bodies=True)).get(id_, (None, False))
            if passage is not None and is_large:
                return replace(passage, body=await self._finder.large_body(connection, id_))
        return passage

    async def bodies(self, ids: Collection[int]) -> dict[int, bytes]:
        """Give bodies by the ids of their messages."""
        async with self._connected() as connection:
            found = await self._finder.load(connection, ids, bodies=True)
            read = {
                id_: await self._finder.large_body(connection, id_) if is_large else one.body
                for id_, (one, is_large) in found.items()
            }
        return {id_: body for id_, body in read.items() if body is not None}

    def walk(self, search: JournalSearch, *, after: int | None = None) -> AsyncIterator[Passage]:
        """Give all messages of a search with their bodies, oldest first; some hundred are in memory."""

        async def page(last: int | None) -> Page:
            async with self._connected() as connection:
                return await self._finder.find(connection, search, PAGE, last, oldest_first=True, bodies=True)

        async def large_body(id_: int) -> bytes | None:
            async with self._connected() as connection:
                return await self._finder.large_body(connection, id_)

        return walked(page, large_body, after)

    async def stats(self, search: JournalSearch, per: int = 3600) -> list[Count]:
        """Count messages by the time, and by noun, verb, source and outcome; oldest first, the most of a time first."""
        if not is_of_stamps(search):
            return await tallied(self, search, per, _COUNTED_AT_ONCE)
        async with self._connected() as connection:
            rows = await self._finder.counts(connection, search, per)
            if any(row[0] not in self._finder.words.by_id for row in rows):
                await self._finder.learn(connection)
        return counted(rows, self._finder.words.by_id, per)

    async def purge(self, before: float, *, noun: str | None = None, keep: str | None = None, limit: int = 1000) -> int:
        """Remove at most `limit` messages from before a time, of this noun and class alone where they are given.

        A day of which nothing would be left goes as a whole, however many it held.
        """
        high = id_at(before)
        async with self._connected() as connection:
            await self._finder.learn(connection)
            plan = planned(JournalSearch(noun=noun, keep=keep), self._finder.words)
            if plan.hopeless:
                return 0
            stamps = None if plan.stamps is None else sorted(plan.stamps)
            for day in await self._days.every(connection):
                if day.high <= high and (held := await self._days.drop(connection, day, stamps)):
                    return held
            oldest = (
                "SELECT id FROM passage WHERE id < $1 AND ($2::int[] IS NULL OR stamp = ANY($2)) ORDER BY id LIMIT $3"
            )
            said = await connection.execute(
                f"DELETE FROM passage WHERE id = ANY(ARRAY({oldest}))",  # noqa: S608 - our own
                high,
                stamps,
                limit,
            )
        return int(said.split()[-1])

    async def purge_to(self, size: int, *, limit: int = 1000) -> int:
        """Remove the oldest day while the journal takes more than `size` bytes, but never the last that has messages.

        PostgreSQL gives room back to the disk by whole tables alone, so `limit` is of no matter here.
        """
        del limit
        async with self._connected() as connection:
            if await connection.fetchval(_SIZE) <= size:
                return 0
            newest = await connection.fetchval("SELECT max(id) FROM passage")
            for day in await self._days.every(connection):
                if newest is not None and day.high <= newest and (held := await self._days.drop(connection, day, None)):
                    return held
        return 0

    async def size(self) -> int:
        """Give the bytes of the partitions, with their indexes."""
        async with self._connected() as connection:
            return int(await connection.fetchval(_SIZE))

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.to_thread(self._packer.shutdown)
        await self._engine.dispose()

    async def _add_words(self, connection: "Connection", passages: Sequence[Passage]) -> None:
        if not self._finder.words.unknown(passages):
            return
        await self._finder.learn(connection)
        if words := self._finder.words.unknown(passages):
            async with connection.transaction():
                # One process after the other: so words become visible in the order of their ids.
                await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
                await connection.execute(_ADD_WORDS, *map(list, zip(*words, strict=True)))
            await self._finder.learn(connection)

    async def _in_thread(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._packer, work)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator["Connection"]:
        """Give a connection of the driver itself: COPY is not for SQLAlchemy."""
        async with connected(self._engine) as held:
            with translated(_WHAT):
                raw = await held.get_raw_connection()
                yield cast("Connection", raw.driver_connection)


async def opened(url: str, patience: float, chain: Chain, *, reader: bool) -> PostgresJournal:
    """Open the journal in a database. Raises as `open_journal`."""
    shared = engine(url, patience)
    try:
        with translated_at_opening(_WHAT):
            async with shared.connect() as connection:
                if reader and await connection.run_sync(is_current, chain):
                    return PostgresJournal(shared, 0)
            async with shared.begin() as connection:
                await connection.run_sync(migrate, chain)
            async with shared.connect() as connection:
                raw = cast("Connection", (await connection.get_raw_connection()).driver_connection)
                part = int(await raw.fetchval("SELECT nextval('passage_part')"))
    except BaseException:
        await shared.dispose()
        raise
    return PostgresJournal(shared, part)


def _records(passages: Sequence[Passage], frames: Frames, stamps: dict[Stamp, int]) -> list[_Record]:
    return [
        (
            passage.id,
            stamps[stamp_of(passage)],
            [signed(key) for key in keys_of(passage)],
            frame,
            folded(passage.reason) if passage.reason else None,
            body,
        )
        for passage, (frame, body) in zip(passages, frames.pack(passages), strict=True)
    ]


async def _copy(connection: "Connection", records: Sequence[_Record]) -> None:
    await connection.copy_records_to_table("passage", records=records, columns=_COLUMNS)


async def _copy_new(connection: "Connection", records: Sequence[_Record]) -> None:
    ids = [record[0] for record in records]
    there = {id_ for (id_,) in await connection.fetch("SELECT id FROM passage WHERE id = ANY($1::bigint[])", ids)}
    new = {record[0]: record for record in reversed(records) if record[0] not in there}  # of twins the first
    if new:
        await _copy(connection, [*new.values()])
