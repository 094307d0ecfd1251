"""What a transition on the topic says: docs/rule-language.md, "Transitions" and "Alert id"."""

import uuid
from typing import Any

from lanes import Lane, happened
from streams import START, S, event_at

from contracts.alerts import Cause, Destination, RuleWords, TicketOrder
from contracts.times import from_micros, parse_time, to_micros
from rule_engine.lifecycle import alert_id
from rule_engine.rules.load import load_text

FAILED = """
  - id: failed
    title: A payment failed
    description: The card was refused.
    owner: payments
    runbook: https://wiki.example.com/payments
    labels: {team: payments}
    severity: info
    mode: shadow
    on: a
    group_by: [data.k, data.n]
    match: {}
    resolve_on: r
    resolve_after: 1m
    vars: {n: data.n}
    notify:
      - {to: operations, template: t, severity: warning}
      - {to: customer, template: t, channels: [email, sms], category: billing, expires: 1h, on: [firing], after: 5s}
      - {ticket: {queue: billing, priority: high}, after: 5s}
"""


def lane_of(text: str) -> Lane:
    source = load_text(f"version: 1\nrules:{text}", "rules.yaml")
    return Lane({"rules.yaml": source})


def test_the_id_is_a_uuid_over_rule_customer_key_time_and_event() -> None:
    at_us = to_micros(parse_time("2026-01-03T00:00:00Z"))
    assert alert_id("order-late", "c1", "o1", at_us, None) == "37486c7d-5ac0-53fa-b145-971a5da0b0d8"
    text = '["order-late",null,["o1","2"],"2026-01-03T00:00:00.000000Z","shop","7"]'
    namespace = uuid.UUID("3111a6fe-024e-5562-9822-f6ebd6a62740")
    assert alert_id("order-late", None, ("o1", "2"), at_us, ("shop", "7")) == str(uuid.uuid5(namespace, text))


def test_an_alert_has_the_id_of_the_event_that_fired_it_or_of_none_where_the_clock_did() -> None:
    lane = lane_of(
        "\n  - {id: order-late, on: order.placed, group_by: data.k, absence: {expect: e, within: 48h}}"
        "\n  - {id: order-placed, on: order.placed, group_by: data.k, match: {}}\n"
    )
    lane.run([event_at(0, "order.placed", k="o1"), event_at(48 * 3_600 + 1, "x")])
    lane.take()
    placed, late = lane.transitions
    assert (late.alert, late.cause) == (
        alert_id("order-late", "c1", "o1", START + 48 * 3_600 * S, None),
        None,
    )
    cause = ("test", "order.placed@0")
    assert (placed.alert, placed.cause) == (alert_id("order-placed", "c1", "o1", START, cause), Cause(*cause))


def test_each_carries_who_what_when_and_the_rules_own_words() -> None:
    lane = lane_of(FAILED)
    lane.run([event_at(0, "a", n=7), event_at(6, "x")])
    lane.take()
    [rule] = load_text(f"version: 1\nrules:{FAILED}", "rules.yaml").rules
    firing, due = lane.transitions
    assert (firing.rule, firing.version, firing.key, firing.customer) == (
        "failed",
        rule.version,
        ["k", "7"],
        "c1",
    )
    assert (firing.at, firing.fired_at, due.at, due.fired_at) == tuple(
        from_micros(START + at * S) for at in (0, 0, 5, 0)
    )
    assert (firing.severity, firing.value, firing.vars, firing.evidence) == (
        "warning",
        None,
        {"n": 7},
        ["a@0"],
    )
    assert firing.words == RuleWords(
        title="A payment failed", mode="shadow", description="The card was refused.", owner="payments",
        runbook="https://wiki.example.com/payments", labels={"team": "payments"}, group_by=("data.k", "data.n"),
    )  # fmt: skip
    assert not firing.momentary
    [told] = firing.notify
    assert (told.index, told.to, told.template, told.severity) == (
        0,
        Destination("operations"),
        "t",
        "warning",
    )
    mail, ticket = due.notify
    assert (mail.index, mail.channels, mail.category, mail.expires_s, mail.resolves) == (
        1,
        ("email", "sms"),
        "billing",
        3_600,
        False,
    )
    assert (ticket.index, ticket.ticket) == (2, TicketOrder("billing", "high"))
    assert (due.severity, due.vars, due.evidence) == ("warning", {"n": 7}, ["a@0"])


def test_what_has_no_end_says_that_it_is_momentary() -> None:
    lane = lane_of(
        "\n  - {id: once, on: a, match: {}}\n  - {id: twice, on: a, event_count: {gte: 1, within: 1m}}\n"
    )
    lane.run([event_at(0, "a")])
    lane.take()
    assert {each.rule: each.momentary for each in lane.transitions} == {"once": True, "twice": False}


def numbered(lane: Lane) -> list[tuple[str, int]]:
    lane.take()
    return [(each.state, each.seq) for each in lane.transitions]


def test_transitions_of_an_alert_are_numbered_also_over_a_restart() -> None:
    lane = lane_of(FAILED)
    lane.run([event_at(0, "a", n=2)])
    lane.take()
    lane.crash()
    lane.run([event_at(6, "x"), event_at(7, "r", n=2), event_at(8, "a", n=2)])
    assert numbered(lane) == [("firing", 1), ("due", 2), ("resolved", 3), ("firing", 1)]


def test_a_silent_end_is_on_the_topic_and_closes_the_alert() -> None:
    lane = lane_of(FAILED)
    lane.run([event_at(0, "a", n=1), event_at(61, "x")])
    assert happened(lane) == [(0, "firing"), (5, "due"), (60, "ended")]
    ended = lane.transitions[-1]
    assert (ended.seq, ended.alert, ended.notify, ended.how) == (3, lane.transitions[0].alert, (), None)


def test_an_end_says_how_it_came_and_by_which_event() -> None:
    lane = lane_of("\n  - {id: twice, on: a, event_count: {gte: 2, within: 10s}, resolve_on: r}\n")
    lane.run(
        [
            event_at(0, "a"),
            event_at(1, "a"),
            event_at(2, "r"),
            event_at(3, "a"),
            event_at(4, "a"),
            event_at(20, "x"),
        ]
    )
    lane.take()
    ends: list[Any] = [
        (each.how, each.cause, each.value) for each in lane.transitions if each.state == "resolved"
    ]
    assert ends == [("event", Cause("test", "r@2"), None), ("condition", None, 1)]


def test_an_entry_that_was_due_again_and_again_is_named_once_at_the_end() -> None:
    lane = lane_of(
        "\n  - {id: again, on: a, match: {}, resolve_on: r, notify: [{to: operations, template: t, every: 5s}]}\n"
    )
    lane.run([event_at(0, "a"), event_at(11, "r")])
    lane.take()
    assert [[entry.index for entry in each.notify] for each in lane.transitions] == [[0], [0], [0], [0]]
