"""The store on SQL: one code for SQLite and PostgreSQL. What it promises stands in the contract."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.store._migrating import migrate
from gateway.store._statements import Lookups
from gateway.store._trouble import translated, translated_at_opening
from gateway.store.errors import StoreUnavailable
from gateway.store.reading import SqlReader
from gateway.store.writing import SqlUnit, Writes


class SqlStore:
    """Conversations in a database whose tables are there. `writers` and `readers` may be one engine.

    With `in_turns` the units of this process wait for each other here, in order, and not in the database: SQLite has
    one writer at a time, and lets those who wait look again and again.
    """

    def __init__(self, writers: AsyncEngine, readers: AsyncEngine, *, in_turns: bool) -> None:
        self._writers = writers
        self._readers = readers
        self._writes = Writes(writers.dialect.name)
        self._lookups = Lookups(readers.dialect.name, lock=False)
        self._turn: AbstractAsyncContextManager[object] = asyncio.Lock() if in_turns else contextlib.nullcontext()

    async def migrate(self) -> None:
        """Make the tables, or bring them to what this release needs. Raises StoreUnusable where it cannot."""
        async with self._turn:
            with translated_at_opening():
                async with self._writers.begin() as connection:
                    await connection.run_sync(migrate)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[SqlUnit]:
        """Give a unit; commits at its end, rolls back after an error."""
        async with self._turn, connected(self._writers) as connection:
            with translated():
                transaction = await connection.begin()
            unit = SqlUnit(connection, self._writes)
            yield unit
            if unit.failed:
                raise StoreUnavailable("a call of this unit failed before: nothing of it is stored")
            with translated():
                await transaction.commit()

    @asynccontextmanager
    async def look(self) -> AsyncIterator[SqlReader]:
        """Give a reader, which sees what is committed."""
        async with connected(self._readers) as connection:
            yield SqlReader(connection, self._lookups)

    async def close(self) -> None:
        """Close all connections; the store cannot be used afterwards."""
        for engine in (self._writers, self._readers):
            await engine.dispose()


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Give a connection; one that was of no use is thrown away, what was not committed is rolled back."""
    with translated():
        connection = await engine.connect()
    try:
        yield connection
    except StoreUnavailable:
        with contextlib.suppress(StoreUnavailable), translated():
            await connection.invalidate()
        raise
    finally:
        with contextlib.suppress(StoreUnavailable), translated():
            await connection.close()
