"""The tables of a journal. A change here needs a migration beside it.

On SQLite the indexes are tables that are filled later, in order and many rows at once (`passage_key`, `passage_stamp`;
see _sqlite_sealing): the ids of messages are random, and each would write a page of its own in an ordinary index. On
PostgreSQL they are indexes, and the messages stand in a partition for each day.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    SmallInteger,
    Table,
    Text,
    column,
    text,
)
from sqlalchemy.types import TypeEngine

REVISION = "0001"
"""The migration that leads to these tables."""

VERSION_TABLE = "journal_version"


def _passage(metadata: MetaData, keys: TypeEngine[Any], *indexes: Index, partition_by: str | None) -> None:
    Table(
        "passage",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
        Column("stamp", Integer, nullable=False),
        Column("keys", keys, nullable=False),
        Column("frame", LargeBinary, nullable=False),
        Column("reason", Text),  # folded, where there is one
        Column("body", LargeBinary),  # where it is large; else it is in the frame
        *indexes,
        postgresql_partition_by=partition_by,
    )


def _word(metadata: MetaData) -> None:
    Table(
        "passage_word",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("text", Text, nullable=False),
    )


sqlite_metadata = MetaData()
_passage(
    sqlite_metadata,
    LargeBinary(),
    Index("passage_reason", "id", "stamp", "reason", sqlite_where=column("reason").is_not(None)),
    partition_by=None,
)
_word(sqlite_metadata)
Table(
    "passage_key",
    sqlite_metadata,
    Column("segment", Integer, primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("id", Integer, primary_key=True),
    Column("stamp", Integer, nullable=False),
    sqlite_with_rowid=False,
)
Table(
    "passage_stamp",
    sqlite_metadata,
    Column("stamp", Integer, primary_key=True),
    Column("id", Integer, primary_key=True),
    sqlite_with_rowid=False,
)
Table(
    "passage_segment",
    sqlite_metadata,
    Column("number", Integer, primary_key=True),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Index("passage_segment_last", "last"),
)

postgres_metadata = MetaData()
_passage(
    postgres_metadata,
    ARRAY(Integer),
    Index("passage_stamp", "stamp", "id"),
    Index("passage_keys", "keys", postgresql_using="gin", postgresql_with={"gin_pending_list_limit": 1024}),
    Index("passage_reason", "id", postgresql_where=text("reason IS NOT NULL")),
    partition_by="RANGE (id)",
)
_word(postgres_metadata)
PART = Sequence("passage_part", data_type=SmallInteger(), minvalue=0, start=0, maxvalue=2047, cycle=True)
