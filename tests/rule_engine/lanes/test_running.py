"""What a worker does with rules and signals, on a real broker."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from click.testing import CliRunner

from contracts.dead import DeadLetter
from contracts.records import text_version
from contracts.topics import SIGNALS
from rule_engine.commands import rules as commands

FAILED = """
version: 1
rules:
  - {id: payment-failed, title: A payment failed, on: payment.failed, match: {}}
"""
SEVERAL = """
version: 1
rules:
  - {id: several, title: Several failed, on: payment.failed, event_count: {gte: 3, within: 1h}}
"""
OUTAGE = """
version: 1
rules:
  - id: outage
    title: Checkout is down
    scope: global
    on: service.request
    group_by: data.service
    ratio: {of: data.status >= 500, gte: 0.5, within: 10s, every: 5s, min_events: 4}
    affected: true
    notify:
      - {to: affected, template: outage, channels: [email]}
"""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def failed(customer: str, at: datetime = NOW) -> tuple[str, str, dict[str, str], datetime]:
    return customer, "payment.failed", {"order_id": "o1"}, at


def test_rules_come_and_change_without_a_restart_and_a_bad_version_is_refused(house, eventually):
    worker = house.worker().wait_ready()
    house.push("rules.yaml", FAILED)
    eventually("it is taken", lambda: (house.status("rules.yaml") or {}).get("taken"))
    house.send(failed("c1"))
    eventually("the alert", house.transitions)

    house.push("rules.yaml", FAILED.replace("match:", "mach:"), "v2")
    status = eventually(
        "it is refused", lambda: (s := house.status("rules.yaml")) and s["version"] == "v2" and s
    )
    assert not status["taken"]
    assert "rules.yaml:4:" in status["problems"][0]
    house.send(failed("c2", NOW + timedelta(seconds=1)))  # the last good version goes on
    eventually("the second alert", lambda: len(house.transitions()) == 2)

    house.push("rules.yaml", FAILED.replace("payment.failed", "payment.bounced"), "v3")
    eventually("it is taken", lambda: house.status("rules.yaml")["version"] == "v3")
    house.send(
        failed("c3", NOW + timedelta(seconds=2)), ("c4", "payment.bounced", {}, NOW + timedelta(seconds=3))
    )
    eventually("the third alert", lambda: len(house.transitions()) == 3)
    assert [each.customer for each in sorted(house.transitions(), key=lambda each: each.at)] == [
        "c1",
        "c2",
        "c4",
    ]

    worker.stop()


def test_it_can_be_seen_which_version_runs_where_and_who_pushed_it(house, eventually):
    def listed() -> dict[str, Any]:
        environment = {
            "BEFOREHAND_TOPIC_PREFIX": house.topics.prefix,
            "BEFOREHAND_KAFKA": house.topics.bootstrap,
        }
        done = CliRunner().invoke(
            commands, ["list", "--format", "json"], env=environment, catch_exceptions=False
        )
        assert done.exit_code == 0
        [file] = json.loads(done.stdout)
        return file

    good, bad = text_version(FAILED), text_version(FAILED + "oops")
    house.push("rules.yaml", FAILED, good)
    assert listed() | {"at": ""} == {
        "file": "rules.yaml", "version": good, "state": "waiting", "at": "", "by": "test", "why": None, "rules": [],
        "problems": [], "running": {},
    }  # fmt: skip
    house.worker().wait_ready()
    file = eventually(
        "it runs", lambda: (f := listed())["state"] == "running" and len(f["running"]) == 8 and f
    )
    assert file["rules"] == ["payment-failed"]
    assert file["running"] == {
        f"{topic}/{n}": good for topic in ("engine.regrouped", "signals") for n in range(4)
    }

    house.push("rules.yaml", FAILED + "oops", bad)
    file = eventually("it is refused", lambda: (f := listed())["state"] == "refused" and f)
    assert (file["version"], set(file["running"].values())) == (bad, {good})
    assert "rules.yaml:5:" in file["problems"][0]


def test_a_record_that_cannot_be_read_goes_to_the_dead_letters_and_the_next_one_is_judged(house, eventually):
    house.push("rules.yaml", FAILED)
    house.worker().wait_ready()
    place = house.partition("c1")
    house.producer.send(house.topics.name(SIGNALS), b"\xffnot JSON", b"c1", partition=place).get(10)
    house.producer.send(house.topics.name(SIGNALS), None, b"c1", partition=place).get(10)
    largest = random.Random(1).randbytes(1_048_500)  # that the broker takes; nothing compresses it
    house.producer.send(house.topics.name(SIGNALS), largest, b"c1", partition=place).get(10)
    house.send(failed("c1"))
    eventually("the alert", house.transitions)
    letters = house.read(house.topics.dead(SIGNALS))
    assert [(each.key, each.value) for each in letters] == [
        (b"c1", b"\xffnot JSON"), (b"c1", None), (b"c1", largest[:1_000_000]),
    ]  # fmt: skip
    told = [DeadLetter.from_headers(each.headers) for each in letters]
    signals = house.topics.name(SIGNALS)
    assert [(each.topic, each.partition, each.offset) for each in told] == [
        (signals, place, n) for n in range(3)
    ]
    assert "cut off" in told[2].reason
    assert all(each.rejected_by == "rule_engine" and "not a CloudEvent" in each.reason for each in told)


def test_a_new_worker_knows_what_the_last_one_counted(house, eventually):
    house.push("rules.yaml", SEVERAL)
    worker = house.worker().wait_ready()
    house.send(*(failed(customer, NOW + timedelta(minutes=1)) for customer in ("c1", "c2", "c2", "c3")))
    eventually("they are read", lambda: worker.metric("beforehand_engine_batch_records_sum") == 4)
    worker.stop()
    house.worker().wait_ready()
    house.send(*(failed(customer, NOW + timedelta(minutes=2)) for customer in ("c1", "c2", "c3", "c3")))
    eventually("two alerts", lambda: len(house.transitions()) == 2)
    assert sorted(each.customer for each in house.transitions()) == ["c2", "c3"]


def test_a_global_rule_judges_all_partitions_together_and_tells_those_affected(house, eventually):
    """The worst off is a partition that sees one customer, and the whole is one half of all requests."""
    house.push("rules.yaml", OUTAGE)
    house.worker(idle_timeout_s=1).wait_ready()
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=30)
    customers = [house.customers_of(partition, 1)[0] for partition in range(4)]
    requests = [
        (customer, "service.request", {"service": "checkout", "status": 503}, at)
        for customer in customers[:2]
    ]
    requests += [
        (customer, "service.request", {"service": "checkout", "status": 200}, at)
        for customer in customers[2:]
    ]
    house.send(*requests)
    alerts = eventually("three alerts", lambda: len(found := house.transitions()) >= 3 and found)
    firing = [each for each in alerts if each.state == "firing"]
    assert {(each.customer, each.key, each.value) for each in firing} == {
        (None, "checkout", 0.5), (customers[0], "checkout", 0.5), (customers[1], "checkout", 0.5),
    }  # fmt: skip
