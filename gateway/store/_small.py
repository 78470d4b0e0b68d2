"""What small stores beside the conversations share: an engine for a URL, tables of their own, a transaction a call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateway.store import postgres, sqlite
from gateway.store._migrating import Chain, migrate
from gateway.store._trouble import translated, translated_at_opening
from gateway.store.opening import sqlite_file
from gateway.store.sql import connected


class SmallStore:
    """Some tables in the database of the store."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    async def open(cls, url: str, chain: Chain, patience: float) -> Self:
        """Connect, and make the tables where they are missing. Raises StoreUnusable or StoreUnavailable."""
        opened = cls(await _engine(url, patience))
        try:
            with translated_at_opening():
                async with opened._engine.begin() as connection:
                    await connection.run_sync(migrate, chain)
        except BaseException:
            await opened.close()
            raise
        return opened

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        async with connected(self._engine) as connection:
            with translated():
                async with connection.begin():
                    yield connection


async def _engine(url: str, patience: float) -> AsyncEngine:
    file = sqlite_file(url)
    if file is None:
        return postgres.engine(url, patience)
    engine, readers = sqlite.engines(file, patience)
    await readers.dispose()
    return engine
