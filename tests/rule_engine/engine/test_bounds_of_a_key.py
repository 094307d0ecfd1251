"""State per key is bounded, and what had no room is counted."""

from lanes import Lane, happened
from streams import START, S, event_at

from rule_engine.rules.load import load_text
from rule_engine.state import MAX_ROW_BYTES


def lane_of(rule: str) -> Lane:
    return Lane({"rules.yaml": load_text(f"version: 1\nrules:\n  - {rule}\n", "rules.yaml")})


def test_a_key_remembers_ten_thousand_values_and_goes_on_counting_those() -> None:
    lane = lane_of("{id: r, on: a, value_count: {of: data.v, gte: 10000, within: 30s}}")
    lane.run(event_at(0, "a", v=f"v{number}") for number in range(9_999))
    lane.run([event_at(1, "a", v="v0")])
    assert happened(lane) == []
    lane.run([event_at(2, "a", v="v10000")])
    assert happened(lane) == [(2, "firing")]
    lane.run([event_at(3, "a", v="v10001"), event_at(4, "a", v="v1"), event_at(4, "a", v="v10001")])
    lane.take()
    assert lane.counters.values_dropped == {"r": 2}
    assert max(map(len, lane.state.values())) < MAX_ROW_BYTES / 2
    lane.until(START + 100 * S)
    assert happened(lane) == [(2, "firing"), (30, "resolved")]
    assert lane.transitions[-1].value == 3
    assert not lane.state
