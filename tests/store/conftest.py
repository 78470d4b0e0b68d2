"""Stores to test: a SQLite file, or a schema in PostgreSQL, of its own for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from gateway.store.opening import open_store
from gateway.store.sql import SqlStore


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    """An empty store."""
    opened = await open_store(store_url)
    yield opened
    await opened.close()
