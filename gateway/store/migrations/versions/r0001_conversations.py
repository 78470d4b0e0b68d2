"""Conversations, their legs, and what was said in them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    key = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
    op.create_table(
        "conversation",
        sa.Column("id", key, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("final", sa.Boolean, nullable=False),
        sa.Column("source", key, nullable=False),
        sa.Column("message_id", key),
        sa.Column("echoed_id", key),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("noun", sa.Text, nullable=False),
        sa.Column("opened", sa.Double, nullable=False),
        sa.Column("deadline", sa.Double),
        sa.Column("updated", sa.Double, nullable=False),
        sa.Column("alarm", sa.Boolean, nullable=False),
    )
    op.create_index("conversation_request", "conversation", ["source", "message_id"], unique=True)
    op.create_index("conversation_echoed", "conversation", ["source", "echoed_id", "opened"])
    op.create_index("conversation_due", "conversation", ["final", "deadline"])
    op.create_index("conversation_opened", "conversation", ["opened"])
    alarm = sa.text("alarm")
    op.create_index("conversation_alarm", "conversation", ["opened"], sqlite_where=alarm, postgresql_where=alarm)
    op.create_table(
        "leg",
        sa.Column("id", key, primary_key=True),
        sa.Column("conversation_id", key, sa.ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
        sa.Column("system", key, nullable=False),
        sa.Column("noun", key, nullable=False),
        sa.Column("open", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("leg_conversation", "leg", ["conversation_id"])
    op.create_index("leg_open", "leg", ["system", "noun", "open"])
    op.create_table(
        "tie",
        sa.Column("key", key, primary_key=True),
        sa.Column("conversation_id", key, sa.ForeignKey("conversation.id", ondelete="CASCADE"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("tie_conversation", "tie", ["conversation_id"])
    op.create_table(
        "entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True),
        sa.Column("key", key),
        sa.Column("conversation_id", key, sa.ForeignKey("conversation.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("system", sa.Text, nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("noun", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text),
        sa.Column("correlation_id", sa.Text),
        sa.Column("result", sa.Text),
        sa.Column("codes", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary),
    )
    op.create_index("entry_conversation", "entry", ["conversation_id"])
    op.create_index("entry_key", "entry", ["key"], unique=True)
