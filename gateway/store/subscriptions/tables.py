"""The tables of subscriptions, the same for SQLite and PostgreSQL. A change here needs a migration beside it."""

from sqlalchemy import BigInteger, Boolean, Column, Double, MetaData, Table, Text

REVISION = "0001"
"""The migration that leads to these tables."""

VERSION_TABLE = "subscription_revision"

metadata = MetaData()

subscription = Table(
    "subscription",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("ended", Boolean, nullable=False),
)

counter = Table("subscription_counter", metadata, Column("version", BigInteger, nullable=False))

reader = Table(
    "subscription_reader",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("seen", Double, nullable=False),
)

progress = Table(
    "subscription_progress",
    metadata,
    Column("name", Text, primary_key=True),
    Column("delivered", BigInteger, nullable=False),
    Column("sent", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("trouble", Text, nullable=False),
    Column("in_hand", BigInteger, nullable=False),
    Column("oldest", Double, nullable=False),
)
