"""PostgreSQL: shared by any number of gateway processes. The driver reads the URL; no engine ever knows it."""

import re
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gateway.store._trouble import translated_at_opening
from gateway.store.errors import StoreUnavailable, StoreUnusable

_CONNECTIONS: Final = 5
_COMMAND_SECONDS: Final = 30.0
_PERSON_NEEDED: Final = ("28", "3D", "42")
"""Classes of SQLSTATE at connecting: login refused, no such database, no right."""

_URL: Final = re.compile(
    r"[a-z]+://(?:[^\s:/?#@]*(?::[^\s:/?#@]*)?@)?(?P<place>[^\s/?#@]*(?:/[^\s/?#@]*)?)(?:\?[^\s@]*)?"
)
_UNREADABLE: Final = (  # says nothing of the URL: what cannot be taken apart may show the password anywhere
    "the store's URL cannot be read: postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
    "with @ : / ? # % in the password written as %40 %3A %2F %3F %23 %25"
)
_log = structlog.get_logger(__name__)


def engine(url: str, patience: float) -> AsyncEngine:
    """Give an engine. Raises StoreUnusable for a URL that cannot be read."""
    parts = _URL.fullmatch(url)
    if parts is None:
        raise StoreUnusable(_UNREADABLE)
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=_connector(url, parts["place"] or "its socket", patience),
        pool_size=_CONNECTIONS,
        max_overflow=_CONNECTIONS,
        pool_timeout=patience,
        hide_parameters=True,
    )


async def check_durability(engine: AsyncEngine) -> None:
    """Say in the log when the server is set up to lose commits in a power cut."""
    with translated_at_opening():
        async with engine.connect() as connection:
            for name in ("fsync", "synchronous_commit"):
                if await connection.scalar(text("SELECT current_setting(:name)"), {"name": name}) == "off":
                    _log.warning("PostgreSQL may lose conversations in a power cut: switch this on", setting=name)


def _connector(url: str, place: str, patience: float) -> Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]]:
    settings = {
        "application_name": "cimgate",
        "lock_timeout": str(int(patience * 1_000)),
        "idle_in_transaction_session_timeout": str(int(_COMMAND_SECONDS * 1_000)),  # a frozen process holds up nobody
        "random_page_cost": "1.1",  # all that is hot goes by an index; reading all documents is never the way
        "jit": "off",
    }

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        try:
            return await asyncpg.connect(
                url, timeout=patience, command_timeout=_COMMAND_SECONDS, server_settings=settings
            )
        except asyncpg.PostgresError as problem:
            said = f"PostgreSQL at {place} says: {problem}"
            if str(problem.sqlstate).startswith(_PERSON_NEEDED):
                raise StoreUnusable(f"{said}; check user, password and database in the store's URL") from problem
            raise StoreUnavailable(said) from problem
        except (OSError, TimeoutError, asyncpg.InternalClientError) as problem:
            reason = str(problem) or "no answer"
            raise StoreUnavailable(f"PostgreSQL at {place} cannot be reached ({reason}): is it running?") from problem
        except (asyncpg.InterfaceError, ValueError):
            raise StoreUnusable(_UNREADABLE) from None

    return connect
