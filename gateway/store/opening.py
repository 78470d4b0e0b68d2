"""Opens the store that a URL names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from gateway.store import postgres, sqlite
from gateway.store.errors import StoreUnusable
from gateway.store.sql import SqlStore

PATIENCE: Final = 5.0
_FORMS: Final = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"


async def open_store(url: str, *, patience: float = PATIENCE) -> SqlStore:
    """Open a store; makes its tables, or brings them to what this release needs.

    `sqlite:///path` is relative, `sqlite:////path` absolute. `postgresql://` takes what libpq takes (several hosts,
    `?sslmode=verify-full`, `?host=/folder/of/the/socket`). `patience` is how many seconds a call waits for a lock or a
    connection before it raises StoreUnavailable. Raises StoreUnusable for what a person must mend, StoreUnavailable
    for what may pass. No text of either holds the password.
    """
    file = sqlite_file(url)
    return await (_on_postgres(url, patience) if file is None else _on_sqlite(file, patience))


def sqlite_file(url: str) -> Path | None:
    """Give the file of the store at a URL; None where it is on PostgreSQL. Raises StoreUnusable for any other URL."""
    scheme, separator, place = url.partition("://")
    if separator and scheme in ("postgresql", "postgres"):
        return None
    if not separator or scheme != "sqlite":
        raise StoreUnusable(f"this is no URL of a store: {_FORMS} is wanted")
    name = place.removeprefix("/")
    if name == place or name in ("", ":memory:"):
        raise StoreUnusable("SQLite needs a file, because conversations outlive the gateway: sqlite:///FILE")
    return Path(name)


async def _on_sqlite(file: Path, patience: float) -> SqlStore:
    writers, readers = sqlite.engines(file, patience)
    store = SqlStore(writers, readers, in_turns=True)
    async with _closed_on_error(store):
        await store.migrate()
    return store


async def _on_postgres(url: str, patience: float) -> SqlStore:
    engine = postgres.engine(url, patience)
    readers = engine.execution_options(isolation_level="AUTOCOMMIT")
    store = SqlStore(engine, readers, in_turns=False)
    async with _closed_on_error(store):
        await store.migrate()
        await postgres.check_durability(readers)
    return store


@asynccontextmanager
async def _closed_on_error(store: SqlStore) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await store.close()
        raise
