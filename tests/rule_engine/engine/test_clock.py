"""What time it is in a partition: docs/rule-language.md, "Time and order"."""

import pytest

from rule_engine.clock import EventClock, SilentClock

S = 1_000_000


def test_the_clock_is_the_largest_event_time_less_the_allowed_lateness() -> None:
    clock = EventClock(allowed_lateness_us=2 * S)
    assert clock.now_us is None
    assert clock.saw(10 * S, None)
    assert clock.now_us == 8 * S
    assert not clock.saw(9 * S, None)
    assert not clock.saw(10 * S, None)
    assert clock.now_us == 8 * S
    assert clock.saw(10 * S + 1, None)
    assert clock.now_us == 8 * S + 1


def test_no_event_moves_it_past_the_time_at_which_the_broker_stored_it() -> None:
    clock = EventClock(allowed_lateness_us=1 * S)
    assert clock.saw(3_600 * S, 10 * S)  # a source whose clock runs an hour ahead
    assert clock.now_us == 9 * S
    assert clock.saw(11 * S, 11 * S)
    assert clock.now_us == 10 * S


def test_the_delay_is_that_of_the_event_which_last_moved_the_clock() -> None:
    clock = EventClock()
    clock.saw(10 * S, 13 * S)
    assert clock.delay_us == 3 * S
    clock.saw(9 * S, 14 * S)
    assert clock.delay_us == 3 * S
    clock.saw(15 * S, 14 * S)
    assert clock.delay_us == 0


def test_without_events_it_goes_on_but_never_back_and_never_from_nothing() -> None:
    clock = EventClock()
    assert not clock.advance(5 * S)
    clock.saw(10 * S, None)
    assert not clock.advance(10 * S)
    assert clock.advance(11 * S)
    assert clock.now_us == 11 * S
    assert not clock.saw(11 * S, None)


@pytest.fixture
def silent() -> SilentClock:
    return SilentClock(idle_timeout_us=5 * S, allowed_lateness_us=2 * S)


def test_a_silent_clock_stands_until_the_broker_has_answered_with_nothing_for_the_idle_timeout(
    silent: SilentClock,
) -> None:
    silent.fetched_nothing(100 * S)
    assert silent.clock(0) is None
    silent.fetched_nothing(105 * S - 1)
    assert not silent.idle
    silent.fetched_nothing(105 * S)
    assert silent.idle


def test_it_is_the_moment_of_the_last_such_answer_less_timeout_lateness_and_delay(
    silent: SilentClock,
) -> None:
    silent.fetched_nothing(100 * S)
    silent.fetched_nothing(110 * S)
    assert silent.clock(3 * S) == (110 - 5 - 2 - 3) * S
    assert silent.clock(3 * S) == (110 - 5 - 2 - 3) * S  # however late it is asked: only answers move it
    silent.fetched_nothing(111 * S)
    assert silent.clock(3 * S) == (111 - 5 - 2 - 3) * S


@pytest.mark.parametrize("happens", ["fetched_something", "broken"])
def test_a_record_or_a_broken_connection_begins_the_silence_anew(silent: SilentClock, happens: str) -> None:
    silent.fetched_nothing(100 * S)
    silent.fetched_nothing(106 * S)
    getattr(silent, happens)()
    assert silent.clock(0) is None
    silent.fetched_nothing(107 * S)
    silent.fetched_nothing(111 * S)
    assert silent.clock(0) is None
    silent.fetched_nothing(112 * S)
    assert silent.clock(0) == (112 - 5 - 2) * S
