"""Messages, what they have in common, and what they are found by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    op.create_table(
        "passage_word",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "passage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("stamp", sa.Integer, nullable=False),
        sa.Column("keys", sa.LargeBinary().with_variant(postgresql.ARRAY(sa.Integer), "postgresql"), nullable=False),
        sa.Column("frame", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("body", sa.LargeBinary),
        postgresql_partition_by="RANGE (id)",
    )
    if on_sqlite:
        _sqlite()
    else:
        _postgres()


def _sqlite() -> None:
    reason = sa.text("reason IS NOT NULL")
    op.create_index("passage_reason", "passage", ["id", "stamp", "reason"], sqlite_where=reason)
    op.create_table(
        "passage_key",
        sa.Column("segment", sa.Integer, primary_key=True),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("stamp", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "passage_stamp",
        sa.Column("stamp", sa.Integer, primary_key=True),
        sa.Column("id", sa.Integer, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "passage_segment",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
    )
    op.create_index("passage_segment_last", "passage_segment", ["last"])


def _postgres() -> None:
    op.execute("ALTER TABLE passage ALTER frame SET STORAGE EXTERNAL, ALTER body SET STORAGE EXTERNAL")  # compressed
    op.create_index("passage_stamp", "passage", ["stamp", "id"])
    op.create_index(
        "passage_keys", "passage", ["keys"], postgresql_using="gin", postgresql_with={"gin_pending_list_limit": 1024}
    )
    op.create_index("passage_reason", "passage", ["id"], postgresql_where=sa.text("reason IS NOT NULL"))
    op.execute("CREATE SEQUENCE passage_part AS smallint MINVALUE 0 MAXVALUE 2047 START 0 CYCLE")
