"""Journals to test: a SQLite file, or a schema in PostgreSQL, of its own for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from gateway.store.journal import Journal
from gateway.store.journal.opening import open_journal


@pytest_asyncio.fixture
async def journal(store_url: str) -> AsyncIterator[Journal]:
    """An empty journal."""
    opened = await open_journal(store_url)
    yield opened
    await opened.close()
