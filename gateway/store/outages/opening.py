"""Opens the outages that belong to the store at a URL."""

from pathlib import Path
from typing import Final

from gateway.store import postgres, sqlite
from gateway.store._migrating import Chain
from gateway.store.opening import PATIENCE, sqlite_file
from gateway.store.outages.sql import SqlOutages
from gateway.store.outages.tables import REVISION, VERSION_TABLE

CHAIN: Final = Chain(Path(__file__).parent / "migrations", REVISION, VERSION_TABLE)


async def open_outages(url: str, *, patience: float = PATIENCE) -> SqlOutages:
    """Open the outages of a store; makes their tables where they are missing.

    The URL is that of the store (see `gateway.store.opening.open_store`): on PostgreSQL they have tables of their own
    there, on SQLite a file of their own beside it, `X-outages.db` for `X.db`, so that a storm holds up no conversation.
    Raises StoreUnusable for what a person must mend, StoreUnavailable for what may pass.
    """
    file = sqlite_file(url)
    if file is None:
        engine = postgres.engine(url, patience)
        opened = SqlOutages(engine, engine.execution_options(isolation_level="AUTOCOMMIT"), in_turns=False)
    else:
        writers, readers = sqlite.engines(outages_file(file), patience)
        opened = SqlOutages(writers, readers, in_turns=True)
    try:
        await opened.migrate(CHAIN)
    except BaseException:
        await opened.close()
        raise
    return opened


def outages_file(store: Path) -> Path:
    """Give the file of the outages that belong to a store's file."""
    return store.with_name(f"{store.stem}-outages{store.suffix}")
