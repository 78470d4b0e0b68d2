"""How devices stand, and what is to be told of them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and the one row that says who works at them."""
    op.create_table(
        "outage_device",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("power", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger),
        sa.Column("restored", sa.BigInteger),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("told", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_outage_device_power_since", "outage_device", ["power", "since"])
    op.create_index("ix_outage_device_shown", "outage_device", ["shown"])
    op.create_table(
        "outage_report",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "outage_batch",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    holder = op.create_table(
        "outage_holder",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("seen", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(holder, [{"id": 1, "owner": "", "seen": 0}])
