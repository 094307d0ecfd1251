"""What one bad record, rule or row may cost: itself, and nothing else."""

import json
from typing import Any

import pytest
from lanes import Lane, happened
from streams import START, S, event_at, record

from rule_engine.conditions.match import MatchStrategy
from rule_engine.replay import Bytes
from rule_engine.rules.load import load_text


def rules(*lines: str) -> dict[str, Any]:
    return {"rules.yaml": load_text("\n".join(["version: 1", "rules:", *lines]), "rules.yaml")}


EACH = "  - {id: each, on: '*', match: {}, vars: {id: event.id, at: now}}"
GOOD = {
    "specversion": "1.0",
    "id": "1",
    "source": "s",
    "type": "a",
    "time": "2026-01-01T00:00:00Z",
    "customerid": "c1",
}


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{",
        b"[" * 100_000,
        json.dumps(GOOD).replace("Z", "").encode(),  # a time of no zone
        json.dumps(GOOD | {"time": "yesterday"}).encode(),
        json.dumps(GOOD | {"time": 17}).encode(),
        json.dumps(GOOD | {"time": "0001-01-01T00:00:00+10:00"}).encode(),
        json.dumps(GOOD | {"time": "9999-12-31T23:59:59-10:00"}).encode(),
        json.dumps(GOOD | {"type": None}).encode(),
        json.dumps(GOOD | {"customerid": 5}).encode(),
        json.dumps(GOOD).replace('"1"', '"\\ud800"').encode(),
        json.dumps({name: GOOD[name] for name in GOOD if name != "id"}).encode(),
        (json.dumps(GOOD)[:-1] + ', "data": ' + "[" * 5_000 + "]" * 5_000 + "}").encode(),
        json.dumps(GOOD).replace('"1.0"', "NaN").encode(),
    ],
    ids=range(17),
)
def test_a_poison_record_is_refused_with_its_offset_and_reason_and_the_next_one_acts(value: bytes) -> None:
    lane = Lane(rules(EACH))
    lane.engine.run([Bytes(value, offset=7), record(event_at(1, "a"))])
    output = lane.take()
    [(offset, reason)] = output.poison
    assert offset == 7
    assert reason
    assert happened(lane) == [(1, "firing")]
    assert lane.counters.poison == 1


def test_integers_beyond_64_bits_are_kept_as_doubles() -> None:
    lane = Lane(
        rules(
            "  - {id: late, on: a, absence: {expect: e, within: 5s}, vars: {n: data.n, m: 'previous.?n.orValue(0)'}}",
            "  - {id: all, scope: global, on: a, ratio: {of: 'true', gte: 1, within: 5s, every: 5s}, vars: {n: data.n}}",
        )
    )
    huge = 10**30
    lane.run([event_at(0, "a", n=1), event_at(1, "a", n=huge), event_at(2, "customer.updated", n=-huge)])
    assert lane.take().partials
    lane.crash()
    lane.until(START + 10 * S)
    assert happened(lane) == [(6, "firing")]
    assert lane.transitions[0].vars == {"n": float(huge), "m": 1}


def test_vars_that_are_too_large_are_null_and_the_alert_fires() -> None:
    lane = Lane(rules("  - {id: each, on: a, match: {}, vars: {text: data.text, k: data.k}}"))
    lane.run([event_at(0, "a", text="x" * 200_000)])
    assert happened(lane) == [(0, "firing")]
    assert lane.transitions[0].vars == {"text": None, "k": None}
    assert lane.counters.expression_errors == {"each": 1}


def test_a_row_that_is_too_large_is_not_written_and_its_alert_does_not_fire_for_ever() -> None:
    rule = "  - {id: late, on: a, group_by: data.k, resolve_on: r, absence: {expect: e, within: 5s}, vars: {text: size(data.text)}}"
    lane = Lane(rules(rule))
    lane.run([event_at(0, "a", text=""), event_at(0, "a", k="other", text=""), event_at(6, "x")])
    lane.take()
    assert len(lane.state) == 2
    lane.run([event_at(7, "a", text="x" * 600_000)])
    lane.take()
    lane.take()
    assert len(lane.state) == 1
    assert lane.counters.isolated == {"late": 1}
    assert happened(lane) == [(5, "firing"), (5, "firing"), (7, "ended")]
    lane.crash()
    lane.run([event_at(8, "e", k="other")])
    assert happened(lane)[3:] == [(8, "resolved")]


def test_a_key_that_is_too_long_is_none() -> None:
    lane = Lane(rules("  - {id: each, on: a, group_by: [data.k, data.j], match: {}}"))
    lane.run([event_at(0, "a", k="x" * 1025, j=""), event_at(1, "a", k="", j="x" * 1024)])
    assert happened(lane) == [(1, "firing")]
    assert lane.counters.expression_errors == {"each": 1}


def test_a_profile_that_is_too_large_leaves_the_one_before() -> None:
    lane = Lane(rules("  - {id: each, on: a, where: customer.plan == 'vip', match: {}}"))
    lane.run(
        [
            event_at(0, "customer.updated", plan="vip"),
            event_at(1, "customer.updated", plan="x" * 600_000),
            event_at(2, "a"),
        ]
    )
    output = lane.take()
    assert happened(lane) == [(2, "firing")]
    assert "a profile of" in output.poison[0][1]
    assert all(value is None or len(value) < 500_000 for _, value in output.rows)


def test_a_bug_in_one_rule_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    right = MatchStrategy.matched

    def matched(self: Any, row: Any, seen: Any, *rest: Any) -> None:
        if row.plan.rule.id == "bad" and seen.arguments[1].get("bug"):
            raise RuntimeError("a bug")
        right(self, row, seen, *rest)

    monkeypatch.setattr(MatchStrategy, "matched", matched)
    lane = Lane(
        rules(
            "  - {id: bad, on: a, match: {}, resolve_on: r, vars: {bug: data.?bug}}",
            "  - {id: good, on: a, match: {}}",
        )
    )
    lane.run([event_at(0, "a"), event_at(1, "r"), event_at(2, "a", bug=True), event_at(3, "a")])
    output = lane.take()
    assert [(each.rule, each.state) for each in lane.transitions] == [
        ("bad", "firing"), ("good", "firing"), ("bad", "resolved"), ("good", "firing"), ("bad", "firing"), ("good", "firing"),
    ]  # fmt: skip
    assert [reason for _, reason in output.poison] == ["rule bad failed: RuntimeError: a bug"]
    assert lane.counters.isolated == {"bad": 1}


def test_a_bug_in_what_the_clock_fires_stops_nothing_and_leaves_no_alert_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lane = Lane(
        rules(
            "  - {id: bad, on: a, match: {}, resolve_on: r, notify: [{to: operations, template: t, after: 5s}]}",
            "  - {id: good, on: a, match: {}, resolve_on: r, notify: [{to: operations, template: t, after: 5s}]}",
        )
    )
    lane.run([event_at(0, "a")])
    lane.take()
    right = lane.engine.machine.life.elapsed

    def elapsed(row: Any, at_us: int) -> bool:
        if row.plan.rule.id == "bad":
            raise RuntimeError("a bug")
        return right(row, at_us)

    monkeypatch.setattr(lane.engine.machine.life, "elapsed", elapsed, raising=False)
    lane.run([event_at(10, "x")])
    lane.take()
    assert sorted((each.rule, each.state) for each in lane.transitions[2:]) == [
        ("bad", "ended"),
        ("good", "due"),
    ]
    assert len(lane.state) == 1
    assert lane.counters.isolated == {"bad": 1}


def test_what_would_be_due_after_the_year_9999_harms_nobody() -> None:
    lane = Lane(
        rules("  - {id: late, on: a, absence: {expect: e, deadline: timestamp(data.at), grace: 7d}}", EACH)
    )
    lane.run([event_at(0, "a", at="9999-12-31T00:00:00Z"), event_at(1, "x")])
    lane.until(253_402_300_799 * S + 30 * 86_400 * S)
    assert [(each.rule, each.state) for each in lane.transitions] == [("each", "firing"), ("each", "firing")]
    assert not lane.state
