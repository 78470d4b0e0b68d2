"""The tables of outages, the same for SQLite and PostgreSQL. A change here needs a migration beside it."""

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

REVISION = "0001"
"""The migration that leads to these tables."""

VERSION_TABLE = "outage_version"

THE_ONE = 1
"""The key of the only row of `outage_holder`."""

metadata = MetaData()

device = Table(
    "outage_device",
    metadata,
    Column("key", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("power", Text, nullable=False),
    Column("since", BigInteger),
    Column("restored", BigInteger),
    Column("shown", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("told", BigInteger, nullable=False),
    Index("ix_outage_device_power_since", "power", "since"),
    Index("ix_outage_device_shown", "shown"),
)

report = Table(
    "outage_report",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)

batch = Table(
    "outage_batch",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)

holder = Table(
    "outage_holder",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("seen", BigInteger, nullable=False),
)
