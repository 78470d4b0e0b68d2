"""The partitions of a journal on PostgreSQL: one for each day (UTC), made ahead, dropped as a whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gateway.store.journal.ids import PART_BITS

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[asyncpg.Record]

LOCK: Final = 0x63696D6A6F75726E
"""Any number that all releases agree on: one process at a time changes tables or adds words."""
_PURGE_LOCK: Final = LOCK + 1
_DROP_PATIENCE: Final = 500
"""Milliseconds: to drop a partition all others must wait, so it is given up soon and tried again another time."""
_DAY: Final = 86_400_000_000
_PARTITIONS: Final = (
    "SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'passage'::regclass"
)


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """A day, counted from the epoch."""

    number: int

    @property
    def table(self) -> str:
        """The name of its partition."""
        return f"passage_{datetime.fromtimestamp(self.number * 86_400, UTC):%Y%m%d}"

    @property
    def low(self) -> int:
        """The lowest id of it."""
        return self.number * _DAY << PART_BITS

    @property
    def high(self) -> int:
        """The lowest id of the next."""
        return (self.number + 1) * _DAY << PART_BITS


def day_of(id_: int) -> Day:
    """Give the day that an id belongs to."""
    return Day((id_ >> PART_BITS) // _DAY)


def day_named(table: str) -> Day:
    """Give the day of a partition."""
    begin = datetime.strptime(table.removeprefix("passage_"), "%Y%m%d").replace(tzinfo=UTC)
    return Day(int(begin.timestamp()) // 86_400)


class Days:
    """The partitions that this process knows to be there."""

    def __init__(self) -> None:
        self._known: set[Day] = set()

    def forget(self) -> None:
        """Look again: another process has dropped one."""
        self._known.clear()

    async def have(self, connection: "Connection", ids: Iterable[int]) -> None:
        """Make the partitions for some ids that are not there, and one ahead."""
        wanted = {day_of(id_) for id_ in ids} - self._known
        if not wanted:
            return
        wanted.add(Day(max(wanted).number + 1))
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            there = {day_named(name) for (name,) in await connection.fetch(_PARTITIONS)}
            for day in sorted(wanted - there):
                await connection.execute(
                    f"CREATE TABLE {day.table} PARTITION OF passage FOR VALUES FROM ({day.low}) TO ({day.high})"
                )
        self._known |= wanted

    async def every(self, connection: "Connection") -> list[Day]:
        """Give all that are there, oldest first."""
        return sorted(day_named(name) for (name,) in await connection.fetch(_PARTITIONS))

    async def drop(self, connection: "Connection", day: Day, stamps: list[int] | None) -> int:
        """Remove a day if it holds messages of these stamps alone; gives how many it held, 0 where it stays."""
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _PURGE_LOCK)
            if await connection.fetchval("SELECT to_regclass($1)", day.table) is None:
                return 0  # another process was faster
            others = f"SELECT EXISTS(SELECT FROM {day.table} WHERE NOT stamp = ANY($1::int[]))"  # noqa: S608 - our own
            if stamps is not None and await connection.fetchval(others, stamps):
                return 0
            held = await connection.fetchval(f"SELECT count(*) FROM {day.table}")  # noqa: S608 - our own name
            await connection.execute(f"SET LOCAL lock_timeout = {_DROP_PATIENCE}")
            await connection.execute(f"DROP TABLE {day.table}")
        self._known.discard(day)
        return int(held)
