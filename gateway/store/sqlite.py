"""SQLite: one file on this machine, written ahead (WAL), flushed to the disk at every commit."""

import contextlib
import errno
import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.store.errors import StoreUnusable

_READERS = 4
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # a commit must survive a power cut: NORMAL syncs at checkpoints only
    "foreign_keys=ON",
    "cache_size=-8000",  # KiB for each connection; the system caches the file anyway, and more was slower
    "wal_autocheckpoint=4000",  # pages: fewer commits that copy the log into the file, at 16 MB of log
)


def engines(path: Path, patience: float) -> tuple[AsyncEngine, AsyncEngine]:
    """Give the engine that writes and the one that reads. Makes the file and raises as `make_file` does."""
    make_file(path)
    return _engine(path, patience, 1, writes=True), _engine(path, patience, _READERS, writes=False)


def make_file(path: Path) -> None:
    """Make folder and file, for the owner's eyes only. Raises StoreUnusable where it cannot be made or opened.

    A file that is there is not opened: closing it would take away all locks that this process has on it (POSIX), and
    another process would then delete the log under a connection that is open here.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))  # -wal and -shm get the mode of the file
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not os.access(path, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as problem:
        raise StoreUnusable(
            f"the store {path} cannot be opened for writing ({problem.strerror}): "
            "name another file, or give the gateway's user the right to write there"
        ) from problem


def _engine(path: Path, patience: float, connections: int, *, writes: bool) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        connect_args={"timeout": patience},
        pool_size=connections,
        max_overflow=0,
        pool_timeout=patience,
        hide_parameters=True,
    )
    pragmas = PRAGMAS if writes else (*PRAGMAS, "query_only=ON")

    def prepare(connection: Any, record: object) -> None:  # noqa: ANN401 - of the driver
        del record
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", prepare)
    if writes:
        event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Take the right to write at once: taken later, it could be refused after others have written."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
