"""Subscriptions, the counter of their changes, who reads them, and how far their deliveries have come."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "subscription",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False),
    )
    counter = op.create_table("subscription_counter", sa.Column("version", sa.BigInteger, nullable=False))
    op.bulk_insert(counter, [{"version": 1}])
    op.create_table(
        "subscription_reader",
        sa.Column("gateway", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
    )
    op.create_table(
        "subscription_progress",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("delivered", sa.BigInteger, nullable=False),
        sa.Column("sent", sa.Double, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("trouble", sa.Text, nullable=False),
        sa.Column("in_hand", sa.BigInteger, nullable=False),
        sa.Column("oldest", sa.Double, nullable=False),
    )
