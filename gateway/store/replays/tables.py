"""The table of replays, the same for SQLite and PostgreSQL. A change here needs a migration beside it."""

from sqlalchemy import Column, Double, MetaData, Table, Text

REVISION = "0001"
"""The migration that leads to this table."""

VERSION_TABLE = "replay_version"

metadata = MetaData()

replay = Table(
    "replay",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("plan", Text, nullable=False),
    Column("progress", Text, nullable=False),
)
