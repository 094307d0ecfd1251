"""Intervals against an oracle that asks zoneinfo minute by minute what the clock there shows."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rule_engine.intervals import Interval
from rule_engine.intervals.days import WEEKDAYS, Span, Yearly
from rule_engine.intervals.grammar import parse_times

MINUTE = timedelta(minutes=1)
MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# zones, and days about which their clocks are changed: by an hour, half an hour, at midnight, a minute after it, by a day,
# for a month of the year
CHANGES = {
    "Europe/Berlin": ["2026-03-29", "2026-10-25"], "America/New_York": ["2026-03-08", "2026-11-01"],
    "Australia/Lord_Howe": ["2026-04-05", "2026-10-04"], "America/Havana": ["2026-03-08", "2026-11-01"],
    "America/St_Johns": ["2005-10-30", "2005-04-03"], "Pacific/Apia": ["2011-12-30"], "Asia/Beirut": ["2026-03-29", "2026-10-25"],
    "Africa/Casablanca": ["2026-02-15", "2026-03-22"], "Asia/Kathmandu": ["2026-05-01"], "UTC": ["2026-01-01"],
}  # fmt: skip


def us(at):
    return (at - EPOCH) // timedelta(microseconds=1)


def shown(at, interval):
    """Whether the minute of a clock, without a zone, is inside: the page's sentence, read plainly."""
    days = {0: at.date(), 1440: at.date() - timedelta(days=1)}
    minute = at.hour * 60 + at.minute
    return any(
        start <= minute + shift < end for shift, day in days.items() for start, end in ranges_of(day, interval)
    )  # fmt: skip


def ranges_of(day, interval):
    def is_on(each):
        if isinstance(each, Span):
            return each.first <= day <= each.last
        return (each.month, each.day) == (day.month, day.day) if isinstance(each, Yearly) else each == day

    for kind in (date, Span, Yearly):
        for each, ranges in interval.dates:
            if isinstance(each, kind) and is_on(each):
                return ranges
    return () if any(is_on(each) for each in interval.out) else interval.week[day.weekday()]


class Clock:
    """Every minute of UTC from three days before a change to nine after: whether it is inside."""

    def __init__(self, zone, day, interval):
        self.zone, self.start = ZoneInfo(zone), datetime.fromisoformat(f"{day}T00:00:00Z") - timedelta(days=3)
        self.local = [
            (self.start + MINUTE * n).astimezone(self.zone).replace(tzinfo=None) for n in range(12 * 1440)
        ]
        self.inside = [shown(at, interval) for at in self.local]

    def add(self, minute, span_us, offset_us=0):
        """Counts a minute at a time; None where the minutes run out."""
        if span_us == 0:
            return us(self.start) + minute * MINUTE_US + offset_us
        left = span_us
        for number in range(minute, len(self.inside)):
            begin = offset_us if number == minute else 0
            if self.inside[number]:
                if left <= MINUTE_US - begin:
                    return us(self.start) + number * MINUTE_US + begin + left
                left -= MINUTE_US - begin
        return None

    def working_days(self, minute, days, step):
        at = self.local[minute]
        day = at.date()
        for _ in range(days):
            day += timedelta(days=step)
            while not self._has_time(day):
                day += timedelta(days=step)
                if abs((day - at.date()).days) > 20:
                    return None
        wanted = datetime.combine(day, at.time())
        if not self.local[0] <= wanted <= self.local[-1]:
            return None
        first = self.local.index(wanted) if wanted in self.local else next(
            number for number in range(1, len(self.local)) if self.local[number - 1] < wanted < self.local[number]
        )  # fmt: skip
        numbers = range(first, len(self.inside)) if step > 0 else range(first, 0, -1)
        found = next((n for n in numbers if self.inside[n] or (step < 0 and self.inside[n - 1])), None)
        return None if found is None else us(self.start) + found * MINUTE_US

    def _has_time(self, day):
        """A day has the time of the ranges that begin on it, if its clock shows any of them."""
        ranges = ranges_of(day, self.interval)
        minutes = {
            datetime.combine(day, datetime.min.time()) + MINUTE * n for a, b in ranges for n in range(a, b)
        }
        if not self.local[0].date() < day < self.local[-1].date() - timedelta(days=1):
            return bool(minutes)
        return not minutes.isdisjoint(self.local)


CLOCKS = st.integers(0, 47).map(lambda half: half * 30)


@st.composite
def ranges(draw):
    start = draw(CLOCKS)
    end = draw(st.integers(1, 48)) * 30
    return start, end if end > start else end + 1440


DATES = st.sampled_from([timedelta(days=n) for n in range(-2, 6)])


@st.composite
def clocks(draw):
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = draw(st.sampled_from(CHANGES[zone]))
    middle = date.fromisoformat(change)
    week = [draw(st.lists(ranges(), max_size=2)) for _ in WEEKDAYS]
    if not any(week):
        week[middle.weekday()] = [(0, 1440)]

    def day(after):
        return middle + after

    days = st.one_of(
        DATES.map(day), DATES.map(day).map(lambda each: Yearly(each.month, each.day)),
        DATES.map(day).map(lambda each: Span(each, each + timedelta(days=1))),
    )  # fmt: skip
    out = draw(st.lists(days, max_size=2, unique=True))
    dates = draw(st.dictionaries(days, st.lists(ranges(), max_size=2).map(sorted).map(tuple), max_size=3))
    if sum(isinstance(each, Span) for each in dates) > 1:
        dates = {}
    interval = Interval(zone, tuple(tuple(each) for each in week), (), tuple(out), tuple(dates.items()))
    clock = Clock(zone, change, interval)
    clock.interval = interval
    return clock


@settings(max_examples=25, deadline=None)
@given(clocks(), st.data())
def test_it_is_what_the_clock_shows_minute_by_minute(clock, data):
    interval = clock.interval
    base = us(clock.start)
    assert [interval.inside(base + n * MINUTE_US) for n in range(len(clock.inside))] == clock.inside
    for _ in range(8):
        minute = data.draw(st.integers(2 * 1440, 6 * 1440), "minute")
        offset = data.draw(st.sampled_from([0, 0, 1, MINUTE_US - 1]), "microseconds")
        span = data.draw(st.sampled_from([0, 1, 30, 59, 60, 480, 1440, 3000]), "span") * MINUTE_US
        span += data.draw(st.sampled_from([0, 0, 1]))
        expected = clock.add(minute, span, offset)
        start = base + minute * MINUTE_US + offset
        if expected is not None:
            assert interval.add(start, span) == expected
            assert interval.between(start, expected) == span
        assert interval.inside(start) == clock.inside[minute]


@settings(max_examples=25, deadline=None)
@given(clocks(), st.data())
def test_working_days_are_those_that_have_any_time_inside(clock, data):
    interval = clock.interval
    base = us(clock.start)
    for _ in range(4):
        minute = data.draw(st.integers(4 * 1440, 7 * 1440), "minute")
        days = data.draw(st.integers(1, 3), "days")
        for step, method in ((1, interval.add_working_days), (-1, interval.subtract_working_days)):
            expected = clock.working_days(minute, days, step)
            if expected is not None:
                assert method(base + minute * MINUTE_US, days) == expected


@pytest.mark.parametrize("zone", sorted(CHANGES))
def test_all_time_is_real_seconds(zone):
    """Open around the clock, no change of any clock makes a difference."""
    always = Interval(zone, parse_times("00:00-24:00"))
    for year in range(1990, 2038, 7):
        start = us(datetime(year, 3, 5, 7, 11, tzinfo=UTC))
        assert always.add(start, 400 * DAY_US + 7) == start + 400 * DAY_US + 7
        assert always.between(start, start + 400 * DAY_US) == 400 * DAY_US
