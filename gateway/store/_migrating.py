"""Brings the tables to the state that this release needs. Alembic is loaded only where there is something to do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from gateway.store.errors import StoreUnusable
from gateway.store.tables import REVISION

_LOCK = 0x63696D67617465
"""Any number that all releases agree on; the name of the gateway in ASCII."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The migrations of some tables: where they are, which is the last, and the table that says how far they came."""

    folder: Path
    revision: str
    version_table: str


CONVERSATIONS: Final = Chain(Path(__file__).parent / "migrations", REVISION, "alembic_version")


def migrate(connection: Connection, chain: Chain = CONVERSATIONS) -> None:
    """Run inside a transaction. Processes that start at once come one after the other.

    Raises StoreUnusable when a newer release made the tables.
    """
    if is_current(connection, chain):
        return
    if connection.dialect.name == "postgresql":  # SQLite lets in one writer anyway
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if is_current(connection, chain):
        return
    _upgrade(connection, chain)


def is_current(connection: Connection, chain: Chain) -> bool:
    """Tell whether the tables are those of this release."""
    if not inspect(connection).has_table(chain.version_table):
        return False
    found = connection.execute(text(f"SELECT version_num FROM {chain.version_table}")).scalar()  # noqa: S608 - our own
    return found == chain.revision


def _upgrade(connection: Connection, chain: Chain) -> None:
    from alembic import command  # noqa: PLC0415 - costs a tenth of a second
    from alembic.config import Config  # noqa: PLC0415 - the same
    from alembic.util import CommandError  # noqa: PLC0415 - the same

    config = Config()
    config.set_main_option("script_location", str(chain.folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as problem:
        raise StoreUnusable(
            f"the tables of the store are of another release of cimgate ({problem}): run that release, or a newer one"
        ) from problem
