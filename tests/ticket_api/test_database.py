"""Tables and migrations agree; what is old goes."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select

from contracts import envelope
from contracts.envelope import event
from ticket_api import customers, effects, retention
from ticket_api.app import make_app
from ticket_api.database import Database
from ticket_api.effects import Found
from ticket_api.facts import fact_of
from ticket_api.metrics import Metrics
from ticket_api.tables import Base, Customer, Signal

KEY = "the-desk-key-of-these-tests"
NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request, tmp_path):
    url = (
        f"sqlite:///{tmp_path}/new/folder/desk.db"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    made = Database(url)
    yield made
    await made.close()


async def test_migrations_make_what_the_tables_say_and_run_twice(database):
    await database.migrate()
    await database.migrate()
    async with database.reading() as session:
        connection = await session.connection()
        found = await connection.run_sync(
            lambda c: compare_metadata(MigrationContext.configure(c), Base.metadata)
        )
    assert found == []


async def test_requests_are_asked_to_come_again_while_it_is_away():
    database = Database("postgresql://nobody@127.0.0.1:9/nothing")
    app = make_app(database, KEY, Metrics(), readiness=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        answer = await client.get("/v1/tickets", headers={"Authorization": f"Bearer {KEY}"})
        page = await client.get("/login", headers={"Accept": "text/html"})
    await database.close()
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:beforehand:problem:database-away")
    assert answer.headers["retry-after"] == "2"
    assert page.status_code == 200


async def test_a_reader_sees_one_moment(database):
    await database.migrate()
    everybody = select(func.count()).select_from(Customer)
    async with database.reading() as reading:
        assert await reading.scalar(everybody) == 0
        async with database.writing() as writing:
            await customers.seen(writing, {"c1": NOW})
        assert await reading.scalar(everybody) == 0
    async with database.reading() as reading:
        assert await reading.scalar(everybody) == 1


async def test_what_is_older_than_its_days_goes(database):
    await database.migrate()
    found = []
    for days in (1, 399, 401):
        placed = event(
            id=str(days),
            source="/shop",
            type="order.placed",
            time=NOW - timedelta(days=days),
            data={},
            customerid="c1",
        )
        found.append(Found(fact_of("signals", b"c1", envelope.encode(placed)), NOW, days))
    async with database.writing() as session:
        await effects.apply(session, found, NOW)
    await retention.forget(database, NOW, timedelta(days=400))
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Signal)) == 2
