"""Every alert exists exactly once, whatever happens to the workers: against an offline run of the pure engine."""

import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from contracts.topics import SIGNALS
from rule_engine.counters import Counters
from rule_engine.engine import LaneEngine
from rule_engine.rules.load import load_text

RULES = """
version: 1
rules:
  - {id: big, title: Big, on: order.placed, where: data.amount > 97, match: {}}
  - {id: often, title: Often, on: order.placed, event_count: {gte: 3, within: 60s}}
"""
EVENTS_PER_S = 1000
SMALL = {"max_batch": 50, "idle_timeout_s": 600}  # many transactions; and the wall clock has no say


@contextmanager
def stream_of_orders(house) -> Iterator[None]:
    """Orders of 300 customers, sent all the while; on leaving, all are on the topic."""
    enough = threading.Event()

    def send() -> None:
        draw = random.Random(7)
        at = datetime(2026, 1, 1, tzinfo=UTC)
        while not enough.wait(0.1):
            orders = []
            for _ in range(EVENTS_PER_S // 10):
                at += timedelta(milliseconds=100)
                orders.append(
                    (f"c{draw.randrange(300)}", "order.placed", {"amount": draw.randrange(100)}, at)
                )
            house.send(*orders)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield
    finally:
        enough.set()
        sending.join()


def reference(house) -> Counter[tuple[str, int]]:
    """What the pure engine says of the records that are on the topic, read in one go."""
    wanted: Counter[tuple[str, int]] = Counter()
    records = house.read(house.topics.name(SIGNALS))
    for partition in range(house.topics.customer_partitions):
        engine = LaneEngine(partition, Counters())
        engine.begin()
        engine.adopt({"rules.yaml": load_text(RULES, "rules.yaml")})
        engine.run([record for record in records if record.partition == partition])
        wanted.update((each.alert, each.seq) for each in engine.take().transitions)
    return wanted


def assert_each_alert_once(house, eventually) -> None:
    wanted = reference(house)
    assert len(wanted) > 100
    eventually("all alerts", lambda: house.told().keys() >= wanted.keys())
    assert house.told() == wanted


def test_each_alert_exists_once_though_the_worker_is_killed_again_and_again(house, eventually):
    house.push("rules.yaml", RULES)
    with stream_of_orders(house):
        for _ in range(2):
            worker = house.worker(**SMALL)
            eventually(
                "it commits", lambda worker=worker: worker.metric("beforehand_engine_batch_records_sum") > 300
            )
            worker.kill()
        house.worker(**SMALL)
    assert_each_alert_once(house, eventually)


def test_each_alert_exists_once_though_workers_join_are_stopped_past_their_session_and_wake_up(
    house, eventually
):
    house.push("rules.yaml", RULES)
    with stream_of_orders(house):
        first = house.worker(**SMALL).wait_ready()
        second = house.worker(**SMALL)
        eventually("both have their share", lambda: first.partitions() == second.partitions() == 2)
        first.signal(signal.SIGSTOP)
        eventually("the second has taken over", lambda: second.partitions() == 4)
        third = house.worker(**SMALL)
        eventually("the third has its share", lambda: second.partitions() == third.partitions() == 2)
        first.signal(signal.SIGCONT)
        # what it was at when it was stopped is fenced, which ends it; if it was at nothing, it joins again
        eventually("the first knows", lambda: first.process.poll() == 70 or first.generation() > 2)
        second.kill()
    assert_each_alert_once(house, eventually)
