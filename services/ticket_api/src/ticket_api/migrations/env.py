"""Runs the migrations in the connection that ticket_api hands over; see ticket_api.database."""

from alembic import context
from sqlalchemy import text

from ticket_api.tables import Base

_ONE_AT_A_TIME = 7_404_001

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:job)"), {"job": _ONE_AT_A_TIME})
    context.run_migrations()
