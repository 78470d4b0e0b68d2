"""Migrations of the journal's tables, run by alembic when a journal is opened."""
