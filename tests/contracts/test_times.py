"""Times: RFC 3339, UTC, microseconds; what is beyond is cut off."""

from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.times import format_micros, format_time, from_micros, parse_time, to_micros

moments = st.datetimes(timezones=st.just(UTC))
offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2026-01-31T09:30:00Z", "2026-01-31T09:30:00Z"),
        ("2026-01-31t09:30:00z", "2026-01-31T09:30:00Z"),
        ("2026-01-31 09:30:00Z", "2026-01-31T09:30:00Z"),
        ("2026-01-31T09:30:00.5Z", "2026-01-31T09:30:00.500000Z"),
        ("2026-01-31T09:30:00.1234569Z", "2026-01-31T09:30:00.123456Z"),  # cut off, not rounded
        ("2026-01-31T09:30:59.9999999999Z", "2026-01-31T09:30:59.999999Z"),
        ("2026-01-31T00:30:00+02:00", "2026-01-30T22:30:00Z"),
        ("2026-12-31T23:30:00-00:45", "2027-01-01T00:15:00Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),  # a leap second
        ("2016-12-31T23:59:60.75Z", "2016-12-31T23:59:59.750000Z"),
    ],
)
def test_a_time_is_read_and_written_in_utc(text, means):
    assert format_time(parse_time(text)) == means


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-01-31", "2026-01-31T09:30Z", "2026-01-31T09:30:00", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z",
        "2026-01-31T09:30:61Z", "2026-01-31T09:30:00+24:00", "2026-01-31T09:30:00+02", "2026-01-31T09:30:00.Z",
        "2026-01-31T09:30:00Z ", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01",
        "２０２６-01-31T09:30:00Z",
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"\S"):
        parse_time(text)


@given(moments)
def test_every_moment_survives_writing_and_counting(moment):
    assert parse_time(format_time(moment)) == moment
    assert from_micros(to_micros(moment)) == moment
    assert parse_time(format_micros(to_micros(moment))) == moment


@given(st.datetimes(timezones=offsets))
def test_an_offset_shifts_the_moment_as_python_has_it(local):
    assume(1 < local.year < 9999)
    assert parse_time(local.isoformat()) == local


@given(moments, moments)
def test_the_form_for_ids_sorts_as_time_does(one, other):
    texts = format_micros(to_micros(one)), format_micros(to_micros(other))
    assert (texts[0] < texts[1]) == (one < other)
    assert len(texts[0]) == len("2026-01-03T00:00:00.000000Z")
