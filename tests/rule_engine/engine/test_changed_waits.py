"""A changed rule while `for` or `keep_firing_for` runs, and over crashes (docs/rule-language.md, "A changed rule")."""

from typing import Any

import pytest
from lanes import Lane, happened
from streams import START, S, event_at

from rule_engine.rules.load import load_text

WAITS = """
  - id: r
    on: a
    group_by: data.k
    event_count: {gte: 2, within: 10s}
    for: 5s
    keep_firing_for: 8s
"""


def rules(text: str, *edits: tuple[str, str]) -> dict[str, Any]:
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return {"rules.yaml": load_text(f"version: 1\nrules:{text}", "rules.yaml")}


def pending() -> Lane:
    """True since 1 s, so due at 6 s; the clock is at 2 s."""
    lane = Lane(rules(WAITS))
    lane.run([event_at(0, "a"), event_at(1, "a"), event_at(2, "x")])
    assert happened(lane) == []
    return lane


def edit(lane: Lane, *edits: tuple[str, str]) -> None:
    lane.engine.adopt(rules(WAITS, *edits))
    lane.take()
    lane.crash()


def test_what_waits_outlives_a_crash_and_an_edit_of_the_rule_s_words() -> None:
    lane = pending()
    edit(lane, ("id: r", "id: r\n    title: Another"))
    lane.until(START + 14 * S)
    assert happened(lane) == [(6, "firing")]
    edit(lane, ("id: r", "id: r\n    severity: critical"))
    lane.until(START + 60 * S)
    assert happened(lane) == [(6, "firing"), (18, "resolved")]
    assert not lane.state


@pytest.mark.parametrize(
    "change",
    [("for: 5s", "for: 4s"), ("keep_firing_for: 8s", "keep_firing_for: 7s"), ("within: 10s", "within: 11s")],
)
def test_what_is_pending_starts_anew_when_the_meaning_changes(change: tuple[str, str]) -> None:
    lane = pending()
    edit(lane, change)
    lane.run([event_at(3, "a")])
    lane.until(START + 60 * S)
    assert happened(lane) == []


def test_what_resolves_by_and_by_is_judged_anew_from_the_first_full_window_on() -> None:
    lane = pending()
    lane.run([event_at(12, "x")])
    assert happened(lane) == [(6, "firing")]
    edit(lane, ("keep_firing_for: 8s", "keep_firing_for: 3s"))  # full at 22 s
    lane.until(START + 60 * S)
    assert happened(lane) == [(6, "firing"), (25, "resolved")]


def test_a_match_that_is_given_otherwise_goes_on_firing_until_a_good_event() -> None:
    text = "\n  - {id: r, on: a, group_by: data.k, where: data.v > 0, match: {}, resolve_on: r}\n"
    lane = Lane(rules(text))
    lane.run([event_at(0, "a", v=1)])
    lane.engine.adopt(rules(text, ("resolve_on: r", "resolve_on: otherwise")))
    lane.run([event_at(1, "r"), event_at(2, "a", v=1), event_at(3, "a", v=0)])
    assert happened(lane) == [(0, "firing"), (3, "resolved")]
    assert (lane.transitions[1].how, lane.transitions[1].cause.id) == ("event", "a@3")


def test_a_match_until_a_good_event_resolves_by_the_clock_where_it_is_kept_on() -> None:
    lane = Lane(
        rules(
            "\n  - {id: r, on: a, group_by: data.k, where: data.v > 0, match: {}, resolve_on: otherwise, keep_firing_for: 5s}\n"
        )
    )
    lane.run([event_at(0, "a", v=1), event_at(1, "a", v=0), event_at(2, "a", v=0)])
    lane.take()
    lane.crash()
    lane.run([event_at(100, "x")])
    assert happened(lane) == [(0, "firing"), (6, "resolved")]
    assert (lane.transitions[1].how, lane.transitions[1].cause) == ("condition", None)
    assert not lane.state
