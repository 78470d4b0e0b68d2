"""Opens the store that a URL names."""

from pathlib import Path
from typing import Final

from gateway.store import _sqlite
from gateway.store.errors import StoreUnusable
from gateway.store.sql import SqlStore

PATIENCE: Final = 5.0
_FORMS = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"


async def open_store(url: str, *, patience: float = PATIENCE) -> SqlStore:
    """Open a store, making or migrating its tables.

    `sqlite:///path` is relative, `sqlite:////path` absolute; `postgresql://` takes what libpq takes (sslmode, several
    hosts). `patience` is how many seconds a call waits for a lock or a connection before it raises StoreUnavailable.
    Raises StoreUnusable for what a person must mend, StoreUnavailable for what may pass.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise StoreUnusable(f"the store must be given as {_FORMS}")
    if scheme == "sqlite":
        if not rest.startswith("/") or rest in ("/", "/:memory:"):
            raise StoreUnusable("SQLite needs a file, because conversations outlive the gateway: sqlite:///FILE")
        return await _opened(_sqlite_store(Path(rest[1:]), patience))
    raise StoreUnusable(f"{scheme}:// is no kind of store: {_FORMS}")


def _sqlite_store(path: Path, patience: float) -> SqlStore:
    writers, readers = _sqlite.engines(path, patience)
    return SqlStore(writers, readers, in_turns=True)


async def _opened(store: SqlStore) -> SqlStore:
    try:
        await store.migrate()
    except BaseException:
        await store.close()
        raise
    return store
