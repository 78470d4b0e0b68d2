"""Opens the journal that belongs to the store at a URL."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

from gateway.store._migrating import Chain
from gateway.store.journal import postgres, sqlite
from gateway.store.journal.contract import Journal
from gateway.store.journal.tables import REVISION, VERSION_TABLE
from gateway.store.opening import PATIENCE, sqlite_file

CHAIN: Final = Chain(Path(__file__).parent / "migrations", REVISION, VERSION_TABLE)


async def open_journal(url: str, *, patience: float = PATIENCE, reader: bool = False) -> Journal:
    """Open the journal of a store; makes its tables, or brings them to what this release needs.

    The URL is that of the store (see `gateway.store.opening.open_store`): on PostgreSQL the journal has tables of its
    own there, on SQLite a file of its own beside it, `X-journal.db` for `X.db`. A `reader` writes nothing where the
    tables are those of this release already, so that no full disk keeps it out; it must not be asked to write. Raises
    StoreUnusable for what a person must mend, StoreUnavailable for what may pass.
    """
    file = sqlite_file(url)
    if file is None:
        return await postgres.opened(url, patience, CHAIN, reader=reader)
    path = journal_file(file)
    part = await asyncio.to_thread(partial(sqlite.prepared, path, patience, CHAIN, reader=reader))
    return sqlite.SqliteJournal(path, patience, part)


def journal_file(store: Path) -> Path:
    """Give the file of the journal that belongs to a store's file."""
    return store.with_name(f"{store.stem}-journal{store.suffix}")
