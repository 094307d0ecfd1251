"""The engine tells what a plain reading of the language tells, of any rule over any stream."""

import pytest
from compare import as_told, shown, split
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes import Lane
from reached import note
from reference.reading import rules_over
from reference.told import Event, Told, in_order
from reference.whole import affected_over, whole_over
from streams import S, record, streams
from written.clause import Written, source_of
from written.rules import GLOBAL_KINDS, KINDS, exactly, global_rules, rules

from rule_engine.replay import Replay

often = settings(max_examples=3 * settings.default.max_examples)  # one rule and one stream are quickly judged
LATENESS = st.sampled_from([0, 0, 0, 3 * S, 10 * S])
BEYOND = st.sampled_from([None, 0, 3, 20, 20, 60])


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_of_scope_customer(kind: str) -> None:
    @often
    @given(rules([kind]), streams(), LATENESS, BEYOND)
    def holds(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
        check(written, events, lateness, beyond)

    holds()


@pytest.mark.parametrize("kind", GLOBAL_KINDS)
def test_a_global_rule(kind: str) -> None:
    @often
    @given(global_rules([kind], affected=False), streams(nobody=True), LATENESS, BEYOND)
    def holds(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
        check_global(written, events, lateness, beyond)

    holds()


@pytest.mark.parametrize("kind", GLOBAL_KINDS)
def test_customers_whom_a_global_alert_affects(kind: str) -> None:
    @often
    @given(
        global_rules([kind], affected=True), streams(nobody=True, late=False), st.sampled_from([0, 3, 20, 60])
    )
    def holds(written: Written, events: list[Event], beyond: int) -> None:
        check_affected(written, events, beyond)

    holds()


def check(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
    if not exactly(written):
        lateness, events = 0, [each._replace(stored=None) for each in events]
    until = None if beyond is None else max(each.at for each in events) + beyond * S
    expected = split(in_order(rules_over([written.spec], events, lateness=lateness, until=until)))
    note(written.words, events, expected, lateness)
    assert shown(engine_over([written], events, lateness, until)) == shown(expected)


def check_global(written: Written, events: list[Event], lateness: int, beyond: int | None) -> None:
    lateness = lateness if exactly(written) else 0
    events = [each._replace(stored=None) for each in events]
    until = None if beyond is None else max(each.at for each in events) + beyond * S
    expected = split(whole_over(written.spec, events, lateness=lateness, until=until))
    note(written.words, events, expected, lateness)
    assert shown(replayed(written, events, lateness, until)) == shown(expected)


def check_affected(written: Written, events: list[Event], beyond: int) -> None:
    until = max(each.at for each in events) + beyond * S
    whole = whole_over(written.spec, events, until=until)
    expected = split(in_order([*whole, *affected_over(written.spec, events, until, whole)]))
    note(written.words, events, expected)
    assert shown(replayed(written, events, 0, until)) == shown(expected)


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
