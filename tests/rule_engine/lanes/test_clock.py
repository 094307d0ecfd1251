"""Time that goes on without events, and time that must not."""

import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from beforehand.kafka.broker import EmbeddedKafka
from beforehand.kafka.topics import create_topics
from contracts.topics import ALERTS, EMBEDDED_PARTITIONS

RULES = """
version: 1
rules:
  - id: not-shipped
    title: Not shipped
    on: order.placed
    group_by: data.order_id
    absence: {expect: order.shipped, within: 1s}
"""
IDLE_S = 3


def placed(order: str, at: datetime) -> tuple[str, str, dict[str, str], datetime]:
    return f"customer-of-{order}", "order.placed", {"order_id": order}, at


def shipped(order: str, at: datetime) -> tuple[str, str, dict[str, str], datetime]:
    return f"customer-of-{order}", "order.shipped", {"order_id": order}, at


def fired(house) -> list[str]:
    return [each.key for each in house.transitions() if each.state == "firing"]


def test_a_silent_partition_fires_when_it_is_due_and_not_before(house, eventually):
    house.push("rules.yaml", RULES)
    house.worker(idle_timeout_s=IDLE_S).wait_ready()
    at = datetime.now(UTC)
    house.send(placed("o1", at))
    (alert,) = eventually("the absence", house.transitions)
    told = time.time()
    assert alert.at == at + timedelta(seconds=1)
    earliest = at.timestamp() + 1 + IDLE_S
    assert earliest < told < earliest + 6


def test_what_waits_unread_is_never_reported_as_missing(house, eventually):
    """A worker that was away finds orders and their shipments; whether they were in time is a matter of their times."""
    house.push("rules.yaml", RULES)
    worker = house.worker(idle_timeout_s=IDLE_S).wait_ready()
    begin = datetime.now(UTC)
    house.send(placed("in-time", begin), placed("late", begin), placed("never", begin))
    eventually("they are read", lambda: worker.metric("beforehand_engine_batch_records_sum") == 3)
    worker.stop()
    house.send(*(placed(f"more-{number}", begin) for number in range(2000)))
    house.send(
        *(shipped(f"more-{number}", begin + timedelta(milliseconds=900)) for number in range(2000)),
        shipped("in-time", begin + timedelta(milliseconds=500)),
        shipped("late", begin + timedelta(milliseconds=1500)),
    )
    house.worker(idle_timeout_s=IDLE_S)
    eventually("both alerts", lambda: len(fired(house)) >= 2)
    assert sorted(fired(house)) == ["late", "never"]


def test_a_worker_that_was_stopped_asks_before_it_goes_on(house, eventually):
    """A stopped process wakes up with an answer of the broker in its socket that is as old as its sleep."""
    house.push("rules.yaml", RULES)
    worker = house.worker(idle_timeout_s=IDLE_S, session_timeout_s=20).wait_ready()
    at = datetime.now(UTC)
    house.send(placed("o1", at), placed("o2", at))
    eventually("they are read", lambda: worker.metric("beforehand_engine_batch_records_sum") == 2)
    worker.signal(signal.SIGSTOP)
    house.send(shipped("o1", at + timedelta(milliseconds=500)))
    time.sleep(IDLE_S + 2)  # the wall clock passes what is due: this is what is tested
    worker.signal(signal.SIGCONT)
    eventually("the absence of the other", lambda: fired(house))
    assert fired(house) == ["o2"]


@pytest.fixture
def own_broker(tmp_path):
    """One that may be killed."""
    with EmbeddedKafka(tmp_path / "kafka", heap_mb=384) as broker:
        yield broker


def test_the_clock_stands_still_while_the_broker_is_away(own_broker, house_on, eventually):
    create_topics(own_broker.bootstrap)
    house = house_on(own_broker.bootstrap, "", EMBEDDED_PARTITIONS)
    house.push("rules.yaml", RULES)
    worker = house.worker(idle_timeout_s=IDLE_S).wait_ready()
    at = datetime.now(UTC)
    house.send(placed("o1", at))
    eventually("it is read", lambda: worker.metric("beforehand_engine_batch_records_sum") == 1)
    clock = worker.metric("beforehand_engine_clock_seconds")
    house.hang_up()
    own_broker.kill()
    time.sleep(IDLE_S + 2)  # the wall clock passes what is due: this is what is tested
    assert worker.metric("beforehand_engine_clock_seconds") == clock
    back = time.time()
    own_broker.start()
    (alert,) = eventually("the absence", lambda: house.read(house.topics.name(ALERTS)))
    assert alert.timestamp / 1000 > back + IDLE_S
