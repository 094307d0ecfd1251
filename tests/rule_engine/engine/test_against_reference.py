"""The engine tells what a plain reading of the language tells, of any rule over any stream."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import Lane
from reference import DAY, Event, Share, Told, affected_over, in_order, rules_over, whole_over
from streams import START, S, Written, as_told, global_rules, record, rules, source_of, split, streams

from rule_engine.replay import Replay


def engine_over(written: list[Written], events: list[Event], lateness: int, until: int | None) -> list[Told]:
    lane = Lane({"rules.yaml": source_of(written)}, lateness_us=lateness)
    lane.run(events)
    if until is not None:
        lane.engine.silent(until + 1)
    lane.take()
    assert not lane.counters.isolated
    return as_told(lane.transitions)


def replayed(written: Written, events: list[Event], lateness: int, until: int | None) -> list[Told]:
    replay = Replay({"rules.yaml": source_of([written])}, allowed_lateness_us=lateness)
    replay.feed([record(each) for each in events])
    if until is not None:
        replay.until(until)
    assert not replay.counters.isolated
    return as_told(replay.transitions)


def check(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
    lateness, events = exactly(written, lateness, events)
    until = None if beyond is None else max(each.at for each in events) + beyond * S
    expected = split(in_order(rules_over([written.spec], events, lateness=lateness, until=until)))
    actual = engine_over([written], events, lateness, until)
    assert shown(actual) == shown(expected)


def exactly(written: Written, lateness: int, events: list[Event]) -> tuple[int, list[Event]]:
    """Where `resolve_after` forgets a key, hopping windows tell what is ahead of the clock by slots only: then let nothing be."""
    condition = written.spec.condition
    if (
        isinstance(condition, Share)
        and condition.every is not None
        and written.spec.resolve_after < 365 * DAY
    ):
        return 0, [each._replace(stored=None) for each in events]
    return lateness, events


def shown(told: list[Told]) -> list[dict[str, Any]]:
    return [
        each._asdict() | {"at": (each.at - START) / S, "fired_at": (each.fired_at - START) / S}
        for each in told
    ]


often = settings(max_examples=6 * settings.default.max_examples)  # one rule and one stream are quickly judged
LATENESS = st.sampled_from([0, 0, 0, 3 * S, 10 * S])
BEYOND = st.sampled_from([None, 0, 3, 20, 20, 60])


@often
@given(rules(["match"]), streams(), LATENESS, BEYOND)
def test_match(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
    check(written, events, lateness, beyond)


@often
@given(rules(["event_count"]), streams(), LATENESS, BEYOND)
def test_event_count(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
    check(written, events, lateness, beyond)


@often
@given(rules(["ratio"]), streams(), LATENESS, BEYOND)
def test_sliding_ratio(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
    check(written, events, lateness, beyond)


@often
@given(rules(["windows"]), streams(), LATENESS, BEYOND)
def test_hopping_ratio(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
    check(written, events, lateness, beyond)


@often
@given(rules(["absence"]), streams(), LATENESS, BEYOND)
def test_absence(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
    check(written, events, lateness, beyond)


@often
@given(global_rules(affected=False), streams(nobody=True), LATENESS, BEYOND)
def test_global_ratio(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
    check_global(written, events, lateness, beyond)


@often
@given(global_rules(affected=True), streams(nobody=True, late=False), st.sampled_from([0, 3, 20, 60]))
def test_affected_customers(written: Written, events: list[Event], beyond: int) -> None:
    check_affected(written, events, beyond)


def check_global(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
    lateness, events = exactly(written, lateness, [each._replace(stored=None) for each in events])
    until = None if beyond is None else max(each.at for each in events) + beyond * S
    expected = split(whole_over(written.spec, events, lateness=lateness, until=until))
    assert shown(replayed(written, events, lateness, until)) == shown(expected)


def check_affected(written: Written, events: list[Event], beyond: int) -> None:
    until = max(each.at for each in events) + beyond * S
    whole = whole_over(written.spec, events, until=until)
    expected = split(in_order([*whole, *affected_over(written.spec, events, until, whole)]))
    assert shown(replayed(written, events, 0, until)) == shown(expected)
