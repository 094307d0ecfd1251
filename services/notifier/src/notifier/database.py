"""Opening the database: SQLite in a file by default, PostgreSQL by its URL; always brought to the newest tables first."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

MIGRATION_LOCK = 7_108_401  # any number, the same in all notifiers


async def open_database(url: str) -> AsyncEngine:
    """An engine on the database at `url`, its tables at the newest version.

    Raises ValueError if the URL names no database that this service knows, and SQLAlchemyError if it can't be reached.
    """
    where = _async_url(url)
    engine = (
        _sqlite(where)
        if where.get_backend_name() == "sqlite"
        else create_async_engine(where, pool_pre_ping=True, hide_parameters=True)
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
    except BaseException:
        await engine.dispose()
        raise
    return engine


def _async_url(url: str) -> URL:
    where = make_url(url)
    match where.get_backend_name():
        case "sqlite":
            return where.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return where.set(drivername="postgresql+psycopg")
        case other:
            raise ValueError(
                f"BEFOREHAND_DATABASE_URL names {other}; use sqlite:///FILE or postgresql://USER@HOST/DATABASE"
            )


def _sqlite(where: URL) -> AsyncEngine:
    """One connection that all share in turn: SQLite has one writer at a time, and this queue is fairer than its busy wait."""
    if where.database and where.database != ":memory:":
        Path(where.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(where, pool_size=1, max_overflow=0, pool_timeout=60, hide_parameters=True)

    @event.listens_for(engine.sync_engine, "connect")
    def _(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # or the driver begins by itself, and late
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "busy_timeout=30000", "synchronous=FULL", "secure_delete=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _(connection: Connection) -> None:
        # a transaction that reads first and writes later would fail at once, not wait, if another process wrote between
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", "notifier:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
