"""The tables of a store, the same for SQLite and PostgreSQL. A change here needs a migration beside it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    column,
)
from sqlalchemy.dialects.postgresql import TEXT

REVISION = "0001"
"""The migration that leads to these tables."""

metadata = MetaData()

# Ids are compared byte by byte: faster, and an index does not depend on the C library's idea of an alphabet.
_key = Text().with_variant(TEXT(collation="C"), "postgresql")

conversation = Table(
    "conversation",
    metadata,
    Column("id", _key, primary_key=True),
    Column("document", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("source", _key, nullable=False),
    Column("message_id", _key),
    Column("echoed_id", _key),
    Column("verb", Text, nullable=False),
    Column("noun", Text, nullable=False),
    Column("opened", Double, nullable=False),
    Column("deadline", Double),
    Column("updated", Double, nullable=False),
    Column("alarm", Boolean, nullable=False),
    Index("conversation_request", "source", "message_id", unique=True),
    Index("conversation_echoed", "source", "echoed_id", "opened"),
    Index("conversation_due", "final", "deadline"),
    Index("conversation_opened", "opened"),
    Index("conversation_alarm", "opened", sqlite_where=column("alarm"), postgresql_where=column("alarm")),
)

leg = Table(
    "leg",
    metadata,
    Column("id", _key, primary_key=True),
    Column("conversation_id", _key, ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
    Column("system", _key, nullable=False),
    Column("noun", _key, nullable=False),
    Column("open", Boolean, nullable=False),
    Index("leg_conversation", "conversation_id"),
    Index("leg_open", "system", "noun", "open"),
    sqlite_with_rowid=False,
)

tie = Table(
    "tie",
    metadata,
    Column("key", _key, primary_key=True),
    Column("conversation_id", _key, ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True),
    Index("tie_conversation", "conversation_id"),
    sqlite_with_rowid=False,
)

entry = Table(
    "entry",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("key", _key),
    Column("conversation_id", _key, ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
    Column("at", Double, nullable=False),
    Column("direction", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("noun", Text, nullable=False),
    Column("message_id", Text),
    Column("correlation_id", Text),
    Column("result", Text),
    Column("codes", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("body", LargeBinary),
    Index("entry_conversation", "conversation_id"),
    Index("entry_key", "key", unique=True),
)
