"""Brings the tables to the state that this release needs. Alembic is loaded only where there is something to do."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from gateway.store.errors import StoreUnusable
from gateway.store.tables import REVISION

_LOCK = 0x63696D67617465
"""Any number that all releases agree on; the name of the gateway in ASCII."""


def migrate(connection: Connection) -> None:
    """Run inside a transaction. Processes that start at once come one after the other.

    Raises StoreUnusable when a newer release made the tables.
    """
    if _revision(connection) == REVISION:
        return
    if connection.dialect.name == "postgresql":  # SQLite lets in one writer anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if _revision(connection) == REVISION:
        return
    _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - costs a tenth of a second
    from alembic.config import Config  # noqa: PLC0415 - the same
    from alembic.util import CommandError  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as problem:
        raise StoreUnusable(
            f"the tables of the store are of another release of cimgate ({problem}): run that release, or a newer one"
        ) from problem
