"""The memory of what was written: a day long, never larger than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from signal_ingest.duplicates import REMEMBERED_S, Written, identity_of

DAY = 86_400.0


def test_what_was_written_is_known_for_a_day_and_not_much_longer():
    written = Written(100)
    written.add(1, 1000)
    written.forget_before(1000 + DAY - REMEMBERED_S)
    assert 1 in written
    written.forget_before(1000 + 600)
    assert 1 not in written
    assert len(written) == 0


def test_beyond_its_capacity_the_oldest_go_and_it_says_how_far_it_reaches():
    written = Written(3)
    for hour in range(5):
        written.add(hour, hour * 3600)
    assert [hour in written for hour in range(5)] == [False, False, True, True, True]
    assert written.reaches_back_s(5 * 3600) < DAY
    assert Written(3).reaches_back_s(10 * DAY) == DAY


def test_a_burst_larger_than_memory_leaves_the_newest_known():
    written = Written(100)
    for number in range(1000):
        written.add(number, 7)
    assert 999 in written
    assert 50 <= len(written) <= 100


def test_seen_again_it_is_known_from_then_on():
    written = Written(10)
    written.add(1, 0)
    written.add(1, DAY)
    written.forget_before(DAY)
    assert 1 in written


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 200_000)), max_size=60), st.integers(1, 20))
def test_memory_is_bounded_whatever_comes(seen, capacity):
    written = Written(capacity)
    for identity, at in seen:
        written.add(identity, at)
        assert len(written) <= capacity
    written.forget_before(1e9)
    assert len(written) == 0


def test_source_and_id_do_not_run_together():
    assert identity_of("/shop", "1") != identity_of("/sho", "p1")
    assert identity_of("/shop", "1") == identity_of("/shop", "1")
