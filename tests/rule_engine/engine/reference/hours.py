"""Time intervals, minute by minute: what the clock shows there, asked of zoneinfo."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

Ranges = tuple[
    tuple[int, int], ...
]  # minutes of the day; an end that is not after its start is on the next day

MINUTE = 60_000_000
FARTHEST = 60 * 24 * 60  # minutes: no test asks for more


@dataclass(frozen=True)
class Hours:
    """`week` has the ranges of Monday to Sunday, `closed` the days that are out, `dates` those with ranges of their own."""

    zone: str
    week: tuple[Ranges, ...]
    closed: frozenset[date] = frozenset()
    dates: Mapping[date, Ranges] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.zone, self.week, self.closed))

    def ranges(self, day: date) -> Ranges:
        if day in self.dates:
            return self.dates[day]
        return () if day in self.closed else self.week[day.weekday()]

    def shows(self, minute: int) -> datetime:
        """What the clock there shows in this minute since the epoch."""
        return datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)

    @cache  # noqa: B019 - few of them, and short-lived
    def inside(self, minute: int) -> bool:
        shown = self.shows(minute)
        of_day = shown.hour * 60 + shown.minute
        today = any(
            start <= of_day and (of_day < end or end <= start) for start, end in self.ranges(shown.date())
        )
        since_yesterday = self.ranges(shown.date() - timedelta(days=1))
        return today or any(end <= start and of_day < end for start, end in since_yesterday)

    def after(self, at: int, span: int) -> int:
        """The moment by which so much time inside has passed."""
        while span > 0:
            end = (at // MINUTE + 1) * MINUTE
            if self.inside(at // MINUTE):
                if span <= end - at:
                    return at + span
                span -= end - at
            at = end
        return at

    def between(self, start: int, end: int) -> int:
        passed = 0
        while start < end:
            next_minute = min(end, (start // MINUTE + 1) * MINUTE)
            if self.inside(start // MINUTE):
                passed += next_minute - start
            start = next_minute
        return passed

    def days_after(self, at: int, days: int) -> int:
        """The same time of day on that later day of those with any time inside, moved on to the next moment inside."""
        return at if days <= 0 else self.opens(self.same_time(at, days, 1))

    def days_before(self, at: int, days: int) -> int:
        """The same in a mirror: moved back to the last closing."""
        return at if days <= 0 else self.closes(self.same_time(at, days, -1))

    def same_time(self, at: int, days: int, step: int) -> int:
        shown, second = self.shows(at // MINUTE), at % MINUTE
        day = shown.date()
        while days:
            day += timedelta(days=step)
            days -= 1 if self.works(day) else 0
        return self.moment(datetime.combine(day, shown.time())) + second

    def works(self, day: date) -> bool:
        """Whether the clock shows a minute of a range that begins on this day."""
        midnight = datetime.combine(day, datetime.min.time())
        shown = {self.shows(minute) for minute in self.minutes_about(midnight)}
        for start, end in self.ranges(day):
            minutes = range(start, end if end > start else end + 24 * 60)
            if any(midnight + timedelta(minutes=minute) in shown for minute in minutes):
                return True
        return False

    def moment(self, local: datetime) -> int:
        """When the clock first shows this, or more where it skips it."""
        return next(minute for minute in self.minutes_about(local) if self.shows(minute) >= local) * MINUTE

    @staticmethod
    def minutes_about(local: datetime) -> range:
        middle = int(local.replace(tzinfo=UTC).timestamp()) // 60
        return range(middle - 26 * 60, middle + 60 * 60)

    def opens(self, at: int) -> int:
        if self.inside(at // MINUTE):
            return at
        minute = next(each for each in range(at // MINUTE, at // MINUTE + FARTHEST) if self.inside(each))
        return minute * MINUTE

    def closes(self, at: int) -> int:
        """The moment itself if it is inside or one of closing, else the last closing before it."""
        if self.inside(at // MINUTE) or (at % MINUTE == 0 and self.inside(at // MINUTE - 1)):
            return at
        minute = next(each for each in range(at // MINUTE, at // MINUTE - FARTHEST, -1) if self.inside(each))
        return (minute + 1) * MINUTE
