"""The database's door: SQLite or PostgreSQL by URL, migrated at the start, one transaction a `with`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from ticket_api.tables import Base

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
}


class Database:
    """`written` is set after every transaction that wrote."""

    def __init__(self, url: str) -> None:
        where = make_url(url)
        where = where.set(drivername=_DRIVERS.get(where.drivername, where.drivername))
        self._sqlite = where.get_backend_name() == "sqlite"
        if self._sqlite and where.database:
            Path(where.database).parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_async_engine(where, pool_pre_ping=not self._sqlite, hide_parameters=True)
        # what a page is made of must fit together, also when a customer is erased between two queries
        snapshot = {} if self._sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reader = self._engine.execution_options(**snapshot)
        self._writer = self._engine.execution_options(beforehand_writes=True)
        self.written = asyncio.Event()
        if self._sqlite:
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)

    async def migrate(self) -> None:
        """Brings the tables to the newest version; several processes may try at once."""
        async with self._writer.begin() as connection:
            await connection.run_sync(_upgrade)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """All that it reads is of one moment."""
        async with AsyncSession(self._reader, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Commits at the end, or rolls all of it back on an exception."""
        async with AsyncSession(self._writer, expire_on_commit=False) as session, session.begin():
            yield session
        self.written.set()

    @asynccontextmanager
    async def alone(self, job: int) -> AsyncIterator[None]:
        """No other process on this database does this job meanwhile. A SQLite file has one process anyway."""
        if self._sqlite:
            yield
            return
        async with self._engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:job)"), {"job": job})
            yield

    async def answers(self) -> bool:
        try:
            async with self.reading() as session:
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError):
            return False
        return True

    async def close(self) -> None:
        await self._engine.dispose()


def insert(session: AsyncSession, table: type[Base]) -> Any:
    """An INSERT that knows ON CONFLICT, in the database's own dialect."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "ticket_api:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # SQLAlchemy, not the driver, says when a transaction begins: else a SELECT before a write takes no lock
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("beforehand_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
