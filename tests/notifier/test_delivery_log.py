"""The database behind it: its tables are those of the migrations, and what is over is forgotten in time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker

from contracts import alerts, envelope
from contracts.alerts import RuleWords, Transition
from notifier.channels import Content
from notifier.database import open_database
from notifier.delivery_log import DeliveryLog
from notifier.fates import Record
from notifier.intake import Intake
from notifier.tables import AlertRow, Base, MessageRow

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
async def engine(request, tmp_path):
    url = (
        f"sqlite:///{tmp_path}/n.db"
        if request.param == "sqlite"
        else request.getfixturevalue("new_database")()
    )
    engine = await open_database(url)
    yield engine
    await engine.dispose()


async def test_the_migrations_make_the_tables_that_the_code_uses(engine):
    async with engine.connect() as connection:
        difference = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    assert difference == []


async def test_a_database_that_nobody_supports_is_refused_in_words():
    with pytest.raises(ValueError, match="names mysql; use sqlite:///FILE or postgresql://"):
        await open_database("mysql://root@localhost/x")


async def test_what_is_over_is_forgotten_and_what_may_still_end_is_not(engine, entry):
    time = Clock(NOON)
    intake, log = house_of(engine, time)
    told = [
        transition("over", entry()),
        transition("open", entry()),
        transition("moment", entry(), momentary=True),
        transition("over", state="ended", seq=2),
    ]
    assert await intake.take([record(each, offset) for offset, each in enumerate(told)], None)
    for claimed in await log.claim([0], [], NOON, 10, ready):
        await log.sent(claimed, None)

    time.now = NOON + timedelta(days=91)
    await log.forget(time.now - timedelta(days=90))
    async with engine.connect() as connection:
        for table in (AlertRow, MessageRow):
            assert [row.alert for row in await connection.execute(select(table.alert))] == ["open"]


async def test_only_what_a_crash_left_is_marked_and_only_once_is_a_result_taken(engine, entry):
    time = Clock(NOON)
    intake, log = house_of(engine, time)
    assert await intake.take([record(transition(name, entry()), n) for n, name in enumerate("ab")], None)
    ours, crashed = await log.claim([0], [], NOON, 10, ready)
    assert await log.recover([0], in_flight=[ours.draft.id]) == 1
    await log.sent(crashed, None)  # a late answer to the try that the crash was thought to have ended
    [again] = await log.claim([0], [], NOON, 10, ready)

    assert again.draft.id == crashed.draft.id
    assert again.draft.possibly_twice
    assert again.attempt == 2


async def test_an_offset_that_somebody_else_moved_is_not_moved_back(engine, entry):
    intake, _ = house_of(engine, Clock(NOON))
    assert await intake.take([record(transition("a", entry()), 0)], None)
    assert not await intake.take([record(transition("b", entry()), 0)], None)
    assert not await intake.take([record(transition("b", entry()), 5)], 3)
    assert await intake.take([record(transition("b", entry()), 1)], 1)
    assert await intake.next_offset("alerts", 0) == 2


class Clock:
    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


def house_of(engine, clock):
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    return Intake(sessions, prefix="", clock=clock), DeliveryLog(sessions, prefix="", clock=clock)


def ready(draft):
    return replace(draft, address="ada@example.com", content=Content(text="t", locale="en", subject="s"))


def transition(alert, *entries, state="firing", seq=1, momentary=False):
    return Transition(
        alert=alert, seq=seq, rule="r", version="v", state=state, at=NOON, fired_at=NOON, key="k", severity="info",
        words=RuleWords("R"), customer="c1", notify=entries, momentary=momentary,
    )  # fmt: skip


def record(told, offset):
    return Record("alerts", 0, offset, b"c1", envelope.encode(alerts.to_event(told)))
