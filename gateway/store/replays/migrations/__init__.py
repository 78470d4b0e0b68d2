"""Migrations of the table of replays, run by alembic when it is opened."""
