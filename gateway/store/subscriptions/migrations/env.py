"""Alembic runs this: it migrates on the connection, and in the transaction, that is handed over."""

from alembic import context

from gateway.store.subscriptions.tables import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
