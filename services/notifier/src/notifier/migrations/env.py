"""Alembic's entry: runs within the connection and transaction that `database.open_database` gives."""

from alembic import context

from notifier.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
