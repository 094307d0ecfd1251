"""What the engine counts while it runs, and what it keeps of time."""

from typing import Any

import pytest
from lanes import Lane
from streams import START, S, event_at

from rule_engine.rules.load import load_text


def lane_of(rule: str) -> Lane:
    return Lane(
        {"rules.yaml": load_text(f"version: 1\nrules:\n  - {{id: r, on: a, {rule}}}\n", "rules.yaml")}
    )


@pytest.mark.parametrize(
    "rule",
    [
        "where: data.gone > 1, match: {}",
        "group_by: data.gone, match: {}",
        "ratio: {of: data.gone > 1, gte: 0.5, within: 1m}",
        "ratio: {of: data.gone > 1, gte: 0.5, within: 1m, every: 1m}",
        "absence: {expect: e, within: duration(data.gone)}",
        "absence: {expect: e, within: data.n}",
        "absence: {expect: e, deadline: timestamp(data.gone)}",
        "match: {}, vars: {gone: data.gone}",
        "match: {}, resolve_on: {on: a, where: data.gone > 1}",
    ],
)
def test_each_expression_that_ends_in_an_error_is_counted(rule: str) -> None:
    lane = lane_of(rule)
    lane.run([event_at(0, "a", n=1)])
    assert lane.counters.expression_errors == {"r": 1}


@pytest.mark.parametrize("key", [None, [1], {"a": 1}])
def test_an_event_whose_key_has_no_text_is_counted(key: Any) -> None:
    lane = lane_of("group_by: data.k, match: {}")
    lane.run([event_at(0, "a", k=key)])
    lane.take()
    assert lane.counters.expression_errors == {"r": 1}
    assert not lane.transitions


def test_late_events_are_counted() -> None:
    lane = lane_of("match: {}")
    lane.run([event_at(5, "a"), event_at(5, "a"), event_at(4, "a"), event_at(3, "x"), event_at(6, "a")])
    assert lane.counters.late_events == 2


def test_the_clock_is_kept_in_the_partitions_state() -> None:
    lane = Lane(lane_of("match: {}").engine.machine.files, lateness_us=2 * S)
    lane.run([event_at(5, "x")])
    lane.take()
    lane.crash()
    assert lane.engine.clock_us == START + 3 * S
