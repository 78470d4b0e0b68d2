"""Outages in SQL: one code for SQLite and PostgreSQL. What it promises stands in the contract."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from operator import attrgetter

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.store._migrating import Chain, migrate
from gateway.store._statements import given, keys_given
from gateway.store._trouble import translated, translated_at_opening
from gateway.store.errors import StoreUnavailable
from gateway.store.outages.tables import THE_ONE, batch, device, holder, report
from gateway.store.outages.values import Holder, Standing, StoredBatch, StoredDevice, StoredReport
from gateway.store.sql import connected

_d = device.c
_KEPT = [name for name in _d.keys() if name != "key"]  # noqa: SIM118 - columns, not names
_row = attrgetter(*_d.keys())
_HOLDER = select(holder.c.owner, holder.c.seen).where(holder.c.id == THE_ONE)
_LEFT = _HOLDER.where(or_(exists().where(batch.c.number.is_not(None)), exists().where(report.c.number.is_not(None))))
_DROP = delete(report).where(report.c.number == bindparam("dropped"))
_BATCHES = select(batch).order_by(batch.c.number)
_REPORTS = select(report).order_by(report.c.number)


class _Statements:
    """Those that differ between dialects."""

    def __init__(self, dialect: str) -> None:
        new = (sqlite_dialect if dialect == "sqlite" else postgresql).insert(device)
        self.put = new.on_conflict_do_update(
            index_elements=[_d.key], set_={name: getattr(new.excluded, name) for name in _KEPT}
        )
        keys, (one,) = keys_given(dialect)
        self.by_key = select(device).join_from(keys, device, _d.key == one)


class SqlOutageUnit:
    """One transaction."""

    def __init__(self, connection: AsyncConnection, statements: _Statements) -> None:
        self._connection = connection
        self._statements = statements

    async def holder(self) -> Holder:
        """Give who works at the view, and keep all others out: on SQLite the unit itself does."""
        with translated():
            found = (await self._connection.execute(_HOLDER.with_for_update())).first()
        if found is None:
            raise StoreUnavailable("the row of outage_holder is missing: the tables of the outages are not whole")
        return Holder(*found)

    async def hold(self, owner: str, at: int) -> None:
        """Write down who works at the view."""
        with translated():
            await self._connection.execute(update(holder).where(holder.c.id == THE_ONE).values(owner=owner, seen=at))

    async def devices(self, keys: Collection[str]) -> dict[str, StoredDevice]:
        """Give those that are known, in one read."""
        with translated():
            rows = (await self._connection.execute(self._statements.by_key, given(keys))).all()
        return {row[0]: StoredDevice(*row) for row in rows}

    async def put(self, devices: Sequence[StoredDevice]) -> None:
        """Write devices, in one go."""
        if devices:
            rows = [dict(zip(_d.keys(), _row(one), strict=True)) for one in devices]
            with translated():
                await self._connection.execute(self._statements.put, rows)

    async def reports(self) -> list[StoredReport]:
        """Give the reports that wait, in order."""
        with translated():
            return [StoredReport(*row) for row in await self._connection.execute(_REPORTS)]

    async def batches(self) -> list[StoredBatch]:
        """Give the batches that are not sent, in order."""
        with translated():
            return [StoredBatch(*row) for row in await self._connection.execute(_BATCHES)]

    async def add(self, reports: Sequence[StoredReport], batches: Sequence[StoredBatch]) -> None:
        """Add what is to be told."""
        with translated():
            if reports:
                rows = [{"number": one.number, "document": one.document} for one in reports]
                await self._connection.execute(insert(report), rows)
            for one in batches:
                await self._connection.execute(
                    insert(batch).values(id=one.id, number=one.number, made=one.made, document=one.document)
                )

    async def drop(self, numbers: Collection[int]) -> None:
        """Take reports out."""
        if numbers:
            with translated():
                await self._connection.execute(_DROP, [{"dropped": number} for number in numbers])


class SqlOutages:
    """Outages in a database. With `in_turns` units of this process wait for each other here, as SqlStore's do."""

    def __init__(self, writers: AsyncEngine, readers: AsyncEngine, *, in_turns: bool) -> None:
        self._writers = writers
        self._readers = readers
        self._statements = _Statements(writers.dialect.name)
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if in_turns else contextlib.nullcontext()

    async def migrate(self, chain: Chain) -> None:
        """Make the tables, or bring them to what this release needs. Raises StoreUnusable where it cannot."""
        with translated_at_opening():
            async with self._writers.begin() as connection:
                await connection.run_sync(migrate, chain)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlOutageUnit]:
        """Give a unit; commits at its end, rolls back after an error."""
        async with self._turn, connected(self._writers) as connection:
            with translated():
                transaction = await connection.begin()
            yield SqlOutageUnit(connection, self._statements)
            with translated():
                await transaction.commit()

    async def sent(self, batch_id: str) -> None:
        """Let a batch leave the store."""
        async with self._turn, connected(self._writers) as connection:
            with translated():
                async with connection.begin():
                    await connection.execute(delete(batch).where(batch.c.id == batch_id))

    async def left(self) -> Holder | None:
        """Give who works at the view; None where nothing is to be told."""
        async with connected(self._readers) as connection:
            with translated():
                found = (await connection.execute(_LEFT)).first()
        return None if found is None else Holder(*found)

    async def standing(self) -> Standing:
        """Tell how much there is, and who works at it."""
        async with connected(self._readers) as connection:
            with translated():
                counted = await connection.execute(select(_d.power, func.count()).group_by(_d.power))
                devices = {row[0]: row[1] for row in counted}
                reports = await connection.scalar(select(func.count()).select_from(report))
                batches = await connection.scalar(select(func.count()).select_from(batch))
                found = (await connection.execute(_HOLDER)).first()
        return Standing(devices, reports or 0, batches or 0, Holder("", 0) if found is None else Holder(*found))

    async def listed(
        self, powers: Collection[str], *, source: str = "", told_from: int = 0, limit: int = 50
    ) -> list[StoredDevice]:
        """Give devices that stand so, those that are out the longest first."""
        wanted = select(device).where(_d.power.in_(list(powers)), _d.told >= told_from)
        if source:
            wanted = wanted.where(_d.source == source)
        wanted = wanted.order_by(_d.since.is_(None), _d.since, _d.key).limit(limit)
        async with connected(self._readers) as connection:
            with translated():
                return [StoredDevice(*row) for row in await connection.execute(wanted)]

    async def find(self, named: str, limit: int = 10) -> list[StoredDevice]:
        """Give the devices of this key, mRID or name; those of a usage point too."""
        keys = [named, f"name {named}", f"point {named}", f"point name {named}"]
        wanted = select(device).where(or_(_d.key.in_(keys), _d.shown == named)).order_by(_d.key).limit(limit)
        async with connected(self._readers) as connection:
            with translated():
                return [StoredDevice(*row) for row in await connection.execute(wanted)]

    async def close(self) -> None:
        """Close all connections."""
        for engine in (self._writers, self._readers):
            await engine.dispose()
