"""Tells what passes (busy, full, cut off: StoreUnavailable) from what is a defect of ours, which goes up as it is."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gateway.store.errors import StoreUnavailable, StoreUnusable

_LATER = "{} cannot be used at this moment ({}): what was asked of it is not stored and must be tried again"
_STORE = "the store"
_PASSING_STATES = ("08", "25", "40", "53", "55", "57", "58", "XX")
"""Classes of SQLSTATE: connection, transaction ended, deadlock, resources, locks, shutdown, system, internal."""

_PASSING_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOTADB,
    }
)  # fmt: skip


_HELP: Mapping[int | str | None, str] = {
    sqlite3.SQLITE_FULL: "make room on its disk",
    sqlite3.SQLITE_BUSY: "another program writes to it, such as a backup or a shell",
    sqlite3.SQLITE_READONLY: "the gateway's user must have the right to write it",
    "53100": "make room on the disk of the server",
}

_LASTING_STATES = ("28", "3D", "42")
"""The same for what a person must mend when a store is opened: login, no such database, no right or other tables."""

_LASTING_CODES = frozenset(
    {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB}
)


_DRIVERS = (sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the drivers raise where they are called directly; the last, where the connection broke at a bad moment."""


@contextmanager
def translated(what: str = _STORE) -> Iterator[None]:
    """Raise StoreUnavailable for what passes. For calls to the database alone: other OSErrors are none of its."""
    try:
        yield
    except StoreUnusable as problem:  # on the way to a new connection, long after the store was opened
        raise StoreUnavailable(str(problem)) from problem
    except (PoolTimeout, OSError, TimeoutError) as problem:
        raise StoreUnavailable(_LATER.format(what, _said(problem))) from problem
    except DBAPIError as problem:
        if not (problem.connection_invalidated or _passes(problem.orig)):
            raise
        raise StoreUnavailable(_LATER.format(what, _said(problem))) from problem
    except _DRIVERS as problem:
        if not _passes(problem):
            raise
        raise StoreUnavailable(_LATER.format(what, _said(problem))) from problem


@contextmanager
def translated_at_opening(what: str = _STORE) -> Iterator[None]:
    """Raise StoreUnusable for what a person must mend, StoreUnavailable for what passes."""
    try:
        yield
    except (DBAPIError, *_DRIVERS) as problem:
        if not _lasts(problem.orig if isinstance(problem, DBAPIError) else problem):
            with translated(what):
                raise
        raise StoreUnusable(f"{what} cannot be used as it is: {_said(problem)}") from problem
    except (PoolTimeout, OSError, TimeoutError):
        with translated(what):
            raise


def _lasts(problem: BaseException | None) -> bool:
    if isinstance(problem, sqlite3.Error):
        return getattr(problem, "sqlite_errorcode", 0) & 0xFF in _LASTING_CODES
    return str(getattr(problem, "sqlstate", None)).startswith(_LASTING_STATES)


def _passes(problem: BaseException | None) -> bool:
    if isinstance(problem, sqlite3.Error):
        return getattr(problem, "sqlite_errorcode", 0) & 0xFF in _PASSING_CODES
    state = getattr(problem, "sqlstate", None)
    if state:
        return str(state).startswith(_PASSING_STATES)
    cause = getattr(problem, "__cause__", None)  # the driver's own complaint: of a value, or of its connection
    return problem is not None and not isinstance(cause, ValueError) and not isinstance(problem, ValueError)


def _said(problem: BaseException) -> str:
    """Give the first line of the driver's own text, and what helps where that is known.

    Values of rows come in later lines only, or not at all.
    """
    while isinstance(problem, DBAPIError) and problem.orig is not None:
        problem = problem.orig
    inner = getattr(problem, "__cause__", None) or problem
    said = (str(inner) or type(inner).__name__).splitlines()[0]
    code = getattr(inner, "sqlite_errorcode", None)
    help_ = _HELP.get(code & 0xFF if isinstance(code, int) else getattr(inner, "sqlstate", None))
    return f"{said}: {help_}" if help_ else said
