"""Migrations of the tables of subscriptions, run by alembic when they are opened."""
