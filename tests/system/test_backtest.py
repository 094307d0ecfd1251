"""What a backtest says of a history is what the running engine does with it, to the alert's id."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from house import House, event, wait_for

from contracts.partition import partition_of
from contracts.topics import EMBEDDED_PARTITIONS

RULES = """
version: 1
rules:
  - id: {name}-late
    title: An order is late
    on: {name}.placed
    group_by: data.order_id
    absence: {{expect: {name}.delivered, deadline: timestamp(data.promised_at)}}
  - id: {name}-not-shipped
    title: An order is not shipped
    on: {name}.placed
    group_by: data.order_id
    absence: {{expect: {name}.shipped, within: 72h}}
  - id: {name}-often
    title: Many orders
    on: {name}.placed
    event_count: {{gte: 2, within: 30d}}
"""


def history(name: str) -> list[dict[str, Any]]:
    """120 orders over three months of the past, some late, some never shipped, in order of time."""
    chance = random.Random(7)
    start = datetime(2025, 3, 1, tzinfo=UTC)
    events = []
    for number in range(120):
        placed = start + timedelta(minutes=chance.randrange(60 * 24 * 90))
        order = {"order_id": f"o{number}"}
        customer = f"{name}-c{chance.randrange(40)}"
        promised = placed + timedelta(days=chance.randrange(4, 12))
        moments = [("placed", placed, order | {"promised_at": promised.isoformat()})]
        if chance.random() < 0.9:
            shipped = placed + timedelta(hours=chance.randrange(2, 120))
            moments.append(("shipped", shipped, order))
            if chance.random() < 0.9:
                moments.append(("delivered", shipped + timedelta(hours=chance.randrange(10, 200)), order))
        events += [event(f"{name}.{what}", customer, data, time=at.isoformat()) for what, at, data in moments]
    return sorted(events, key=lambda each: each["time"])


def test_a_history_sent_over_http_gives_the_alerts_of_the_backtest(
    new_house: House, name: str, tmp_path: Path
) -> None:
    house = new_house
    rules, file = tmp_path / f"{name}.yaml", tmp_path / "history.ndjson"
    house.push(rules, RULES.format(name=name))
    events = history(name)
    file.write_text("".join(json.dumps(each) + "\n" for each in events))
    done = house.command("rules", "backtest", str(rules), "--events", str(file), "--format", "ndjson")
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    ends: dict[int, str] = {}
    for each in events:
        ends[partition(each["customerid"])] = each["time"]
    # what is due after the last event of its own partition waits there for the wall clock
    expected = {(t["id"], t["state"]) for t in told if t["at"] < ends[partition(t["customer"])]}
    assert len(expected) > 100
    house.publish(*events)

    def happened() -> set[tuple[str, str]]:
        return {
            (data["alert"], data["state"])
            for record in house.records("alerts")
            if (data := json.loads(record.value)["data"])["rule"].startswith(name)
        }

    found = wait_for(happened, lambda found: found >= expected)
    assert {each for each in found if each[1] != "ended"} <= {(t["id"], t["state"]) for t in told}


def partition(customer: str) -> int:
    return partition_of(customer.encode(), EMBEDDED_PARTITIONS)
