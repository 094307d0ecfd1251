"""`beforehand rules why`: a customer's events against one rule."""

import json

import pytest

SHOP = """
rules:
  - id: not-shipped
    on: order.placed
    where: data.amount > 100 && data.country == "DE"
    group_by: data.order_id
    absence: {expect: order.shipped, within: 48h, cancel_on: order.cancelled}
  - {id: thrice, on: payment.failed, event_count: {gte: 3, within: 1h}, resolve_on: payment.succeeded}
  - {id: share, on: call, ratio: {of: data.status >= 500, gte: 0.5, within: 5m, every: 1m, min_events: 3}}
  - {id: narrow, on: {on: call, where: data.x == 1}, group_by: data.y, match: {}}
  - {id: off, mode: off, on: never, match: {}}
  - {id: cooled, on: payment.failed, event_count: {gte: 1, within: 5m}, cooldown: 1h}
  - {id: everywhere, scope: global, on: call, ratio: {of: data.status >= 500, gte: 0.5, within: 5m, every: 1m}}
"""


def past(*events):
    """(time, type, data), customer c1 if the data names none; ids e1, e2, …."""
    lines = [
        {"specversion": "1.0", "id": f"e{number}", "source": "/shop", "type": kind, "time": f"2026-01-0{time}Z",
         "customerid": data.get("customer", "c1"), "data": data}
        for number, (time, kind, data) in enumerate(events, 1)
    ]  # fmt: skip
    return "\n".join(map(json.dumps, lines))


@pytest.fixture
def why(run):
    def ask(rule, *events, more=(), customer="c1"):
        return run(
            "why", rule, "--customer", customer, "--rules", "shop.yaml", "--events", "-", *more,
            rules_text=SHOP, stdin=past(*events),
        )  # fmt: skip

    return ask


def verdict(result):
    assert result.exit_code == 0
    return result.stdout.rstrip().splitlines()[-1]


PLACED = ("1T00:00:00", "order.placed", {"amount": 150, "country": "DE", "order_id": "o1"})


def test_each_event_is_shown_clause_by_clause_with_the_value_of_each_part(why):
    result = why(
        "not-shipped",
        ("1T00:00:00", "order.placed", {"amount": 50, "country": "AT", "order_id": "o0"}),
        PLACED,
        ("1T00:30:00", "page.viewed", {}),
        ("2T00:00:00", "order.shipped", {"order_id": "o1"}),
    )
    assert result.stdout.splitlines()[2:] == [
        "  4 events of c1, 3 of a type that the rule names",
        "",
        "2026-01-01T00:00:00Z  order.placed  e1",
        "  ✗ on: does not match, key o0",
        "    where:",
        '      data.amount > 100 && data.country == "DE"  false',
        "        data.amount > 100                        false",
        "          data.amount                            50",
        '        data.country == "DE"                     false',
        '          data.country                           "AT"',
        "",
        "2026-01-01T00:00:00Z  order.placed  e2",
        "  ✓ on: matches, key o1",
        "    where:",
        '      data.amount > 100 && data.country == "DE"  true',
        "        data.amount > 100                        true",
        "          data.amount                            150",
        '        data.country == "DE"                     true',
        '          data.country                           "DE"',
        "  → armed, due 2026-01-03T00:00:00Z",
        "",
        "2026-01-02T00:00:00Z  order.shipped  e4",
        "  ✓ expect, key o1",
        "  → disarmed",
        "",
        "it did not fire: 1 event matched; what was armed was answered at 2026-01-02T00:00:00Z by order.shipped (e4, expect)",
    ]


def failed(minute, **data):
    return (f"1T00:{minute:02}:00", "payment.failed", data)


@pytest.mark.parametrize(
    ("rule", "events", "said"),
    [
        ("not-shipped", [], "the customer has no event in this time"),
        ("not-shipped", [failed(0), failed(1)], "no event of the customer is of type order.placed; there were payment.failed (2)"),
        ("not-shipped", [("1T00:00:00", "order.placed", {"amount": 150, "order_id": "o1"})],
         '`where` was true of no event: data.country == "DE" was not true of 1 of 1'),
        ("not-shipped", [("1T00:00:00", "order.placed", {})], "1 of 1 have no key, the last one's ends in an error: no such key: order_id"),
        ("not-shipped", [PLACED], ("1 event matched; it fires at 2026-01-03T00:00:00Z if nothing comes before; "
         "that is not before the end of what was looked at")),
        ("thrice", [failed(0), failed(1)], "2 events matched; 2 was the most that was measured, gte 3 is wanted"),
        ("thrice", [failed(0), failed(1), ("1T00:02:00", "payment.succeeded", {}), failed(3)],
         ("3 events matched; 2 was the most that was measured, gte 3 is wanted; "
         "what was counted was forgotten at 2026-01-01T00:02:00Z by payment.succeeded (e3, resolve_on)")),
        ("thrice", [("1T00:02:00", "payment.succeeded", {}), failed(1)],
         "1 event matched; e2 is older than an event that ended it, which is remembered for 1m"),
        ("share", [("1T00:00:00", "call", {"status": 500})],
         "1 event matched; no window has ended yet, one does every 1m"),
        ("narrow", [("1T00:00:00", "call", {"x": 2})], "no call of the customer is as `on` wants it"),
    ],
)  # fmt: skip
def test_the_last_line_says_why(why, rule, events, said):
    assert verdict(why(rule, *events)) == f"it did not fire: {said}"


def test_windows_say_what_they_measured(why):
    calls = [
        (f"1T00:0{n}:00", "call", {"status": status}) for n, status in enumerate([500, 200, 200, 200, 500])
    ]
    result = why("share", *calls)
    assert "  2026-01-01T00:01:00Z  … says nothing, measured" in result.stdout
    assert "  2026-01-01T00:04:00Z  ✗ false, measured 0.25" in result.stdout
    assert verdict(result).endswith(
        "2 of them said nothing (min_events: 3); from 0.25 to 0.333333 was measured, gte 0.5 is wanted"
    )


def test_a_rule_that_is_off_or_fired_says_so(why):
    assert why("off", failed(0)).stdout.splitlines()[-2] == "the rule is off"
    result = why("cooled", failed(0), failed(10))
    alert = verdict(result).split("`")[1].split()[-1]
    assert f"  → firing 2026-01-01T00:00:00Z, key c1, alert {alert}" in result.stdout
    assert "  → true, held back by a cooldown" in result.stdout
    assert verdict(result).startswith("it fired once; `beforehand rules explain ")


def test_the_clock_may_be_moved_on(why):
    result = why("not-shipped", PLACED, more=("--until", "2026-01-03T00:00:00Z"))
    assert "2026-01-03T00:00:00Z  the clock\n  → firing 2026-01-03T00:00:00Z, key o1, alert" in result.stdout
    assert verdict(result).startswith("it fired once")


def test_a_global_rule_counts_other_customers_as_well(why):
    result = why(
        "everywhere",
        ("1T00:00:00", "call", {"status": 500, "customer": "c2"}),
        ("1T00:02:00", "call", {"status": 200}),
    )
    assert "1 event of c1" in result.stdout
    assert verdict(result).startswith("it fired once")


@pytest.mark.parametrize(
    ("rule", "events", "said"),
    [
        ("not-shiped", [], "there is no rule 'not-shiped' in shop.yaml; did you mean 'not-shipped'?"),
        ("thrice", [("1", "x", {})], "no CloudEvent in JSON"),
    ],
)
def test_what_is_not_there_is_told(why, rule, events, said):
    result = why(rule, *events)
    assert said in result.stderr
    assert (result.exit_code, result.stdout) == (2, "")


def test_it_wants_to_know_which_events(run):
    assert "say which events" in run("why", "thrice", "--customer", "c1").stderr
