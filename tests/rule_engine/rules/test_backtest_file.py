"""How `beforehand rules backtest` reads a file of events, and the order of what it prints."""

import json

WAITS = "rules:\n  - {id: waits, on: order.placed, group_by: data.order_id, absence: {expect: order.shipped, within: 1h}}\n"


def line(time, type_name, order="o1", customer="c1", **more):
    event = {
        "specversion": "1.0",
        "id": f"{type_name}@{time}",
        "source": "shop",
        "type": type_name,
        "time": time,
    }
    return json.dumps(event | {"customerid": customer, "data": {"order_id": order}} | more)


def backtest(run, rules, *lines, until=()):
    result = run(
        "backtest",
        "shop.yaml",
        "--events",
        "-",
        "--format",
        "ndjson",
        *until,
        rules_text=rules,
        stdin="\n".join(lines),
    )
    return [json.loads(each) for each in result.stdout.splitlines()]


def test_events_act_in_the_order_of_the_file(run):
    placed, shipped = (
        line("2026-01-01T00:00:00Z", "order.placed"),
        line("2026-01-01T00:30:00Z", "order.shipped"),
    )
    much_later = line("2026-01-01T05:00:00Z", "other")
    assert backtest(run, WAITS, placed, shipped, much_later) == []
    states = [each["state"] for each in backtest(run, WAITS, placed, much_later, shipped)]
    assert states == ["firing", "resolved"]


def test_an_event_needs_a_time_and_has_its_customer_in_customerid(run):
    match = "rules: [{id: r, on: order.placed, match: {}}]"
    nobody = json.loads(line("2026-01-01T00:00:00Z", "order.placed"))
    del nobody["customerid"]
    [fired] = backtest(
        run, match, json.dumps(nobody), line("2026-01-01T00:00:01Z", "order.placed", customer="c7")
    )
    assert fired["customer"] == "c7"
    timeless = json.loads(line("", "order.placed"))
    del timeless["time"]
    result = run("backtest", "shop.yaml", "--events", "-", stdin=json.dumps(timeless))
    assert result.exit_code == 2
    assert "/time" in result.stderr


def test_what_is_due_at_the_last_events_time_has_not_fired(run):
    placed = line("2026-01-01T00:00:00Z", "order.placed")
    assert backtest(run, WAITS, placed, line("2026-01-01T01:00:00Z", "other")) == []
    [late] = backtest(run, WAITS, placed, line("2026-01-01T01:00:00.000001Z", "other"))
    assert late["at"] == "2026-01-01T01:00:00Z"
    [late] = backtest(run, WAITS, placed, until=("--until", "2026-01-01T01:00:00Z"))
    assert late["at"] == "2026-01-01T01:00:00Z"


def test_a_key_is_a_string_or_a_list_where_group_by_is_one(run):
    rules = "rules: [{id: a, on: order.placed, group_by: [data.order_id], match: {}}, {id: b, on: order.placed, group_by: data.order_id, match: {}}]"
    fired = backtest(run, rules, line("2026-01-01T00:00:00Z", "order.placed"))
    assert [(each["rule"], each["key"]) for each in fired] == [("a", ["o1"]), ("b", "o1")]


def test_lines_are_in_order_of_time_rule_key_and_customer(run):
    rules = "rules: [{id: b, on: order.placed, group_by: data.order_id, match: {}}, {id: a, on: order.placed, group_by: data.order_id, match: {}}]"
    at, before = "2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z"
    events = [
        line(at, "order.placed", "o2"),
        line(at, "order.placed", "o1", "c2"),
        line(at, "order.placed", "o1"),
        line(before, "order.placed", "o3"),
    ]
    fired = backtest(run, rules, *events)
    assert [(each["at"][17:19], each["rule"], each["key"], each["customer"]) for each in fired] == [
        ("00", "a", "o3", "c1"), ("00", "b", "o3", "c1"),
        ("01", "a", "o1", "c1"), ("01", "a", "o1", "c2"), ("01", "a", "o2", "c1"),
        ("01", "b", "o1", "c1"), ("01", "b", "o1", "c2"), ("01", "b", "o2", "c1"),
    ]  # fmt: skip
