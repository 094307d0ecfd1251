"""Conditions over (t-within, t]: `event_count`, `value_count`, `ratio` and `aggregate` without `every`, `flatline`. Every window
is counted anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reference.condition import Agenda, Asked, Condition
from reference.measures import Measure, Number
from reference.told import DAY, Data, Event


@dataclass(frozen=True)
class Count(Asked):
    gte: int
    within: int

    def begin(self, story: Any) -> "Counting":
        return Counting(story)


@dataclass(frozen=True)
class Values(Asked):
    """`of` gives None for null and for an error."""

    of: Callable[[Data], str | None]
    gte: int
    within: int

    def begin(self, story: Any) -> "CountingValues":
        return CountingValues(story)


@dataclass(frozen=True)
class Share(Asked):
    of: Callable[[Data], bool]
    gte: float
    within: int
    min_events: int = 1

    def begin(self, story: Any) -> "Sharing":
        return Sharing(story)


@dataclass(frozen=True)
class Measured(Asked):
    measure: Measure
    within: int

    def begin(self, story: Any) -> "Measuring":
        return Measuring(story)


@dataclass(frozen=True)
class Flat(Asked):
    within: int
    lt: int = 1
    forget: int = 7 * DAY

    def begin(self, story: Any) -> "Flattening":
        return Flattening(story)


class Sliding(Condition):
    """True or false at an event of the key, and where one ages out, which comes after the events of that time."""

    by_an_event: tuple[bool, ...] = (True,)  # what an event can make of it

    def __init__(self, story: Any) -> None:
        super().__init__(story)
        self.asked = story.spec.condition
        self.counted: list[Event] = []  # in order of arrival
        self.looked: int | None = None  # the last age-out that was looked at, since the last event

    def counts(self, event: Event) -> bool:
        return True

    def matched(self, event: Event, at: int, clock: int | None, previous: Data) -> None:
        if not self.counts(event):
            return
        self.counted.append(event)
        self.looked = None
        verdict = self.verdict(at)
        if verdict not in self.by_an_event:
            return
        if verdict:
            self.story.says_true(at, event, previous)
        else:
            self.story.says_false(at, self.value(at))

    def window(self, at: int) -> list[Event]:
        """By time, those of one time in order of arrival."""
        inside = [event for event in self.counted if at - self.asked.within < event.at <= at]
        return sorted(inside, key=lambda event: event.at)

    def agenda(self, clock: int | None) -> Agenda:
        if not self.counted:
            return []
        ages = sorted({event.at + self.asked.within for event in self.counted})
        out: Agenda = [(ages[-1], 3, self.all_aged_out)]
        for at in ages:
            late = self.story.latest is not None and at < self.story.latest
            if not late and (self.looked is None or at > self.looked):
                out.append((at, 0, self.ages_out))
        return out

    def ages_out(self, at: int) -> None:
        self.looked = at
        verdict = self.verdict(at)
        if verdict is False:
            self.story.says_false(at, self.value(at))
        elif verdict:
            self.story.recovers()

    def all_aged_out(self, at: int) -> None:
        self.counted = [event for event in self.counted if event.at > at]

    def ends_by(self, at: int, reach: int) -> bool:
        last = self.story.last
        if not (self.counted or self.story.true_since is not None) or last is None or last.at > reach:
            return False
        self.story.not_pending()
        self.forget()
        return True

    def forget(self) -> None:
        self.counted = []

    @property
    def remembers(self) -> bool:
        return bool(self.counted)


class Counting(Sliding):
    def verdict(self, at: int) -> bool:
        return self.value(at) >= self.asked.gte

    def value(self, at: int) -> int:
        return min(self.asked.gte, len(self.window(at)))  # the newest `gte` are kept

    def evidence(self, at: int) -> tuple[str, ...]:
        return tuple(event.id for event in self.window(at)[-self.asked.gte :])


class CountingValues(Sliding):
    def counts(self, event: Event) -> bool:
        return self.asked.of(event.data) is not None

    def newest(self, at: int) -> list[Event]:
        """Each value's newest sight, by time."""
        sights: dict[str, Event] = {}
        for event in self.window(at):
            value = self.asked.of(event.data)
            sights.pop(value, None)
            sights[value] = event
        return list(sights.values())

    def verdict(self, at: int) -> bool:
        return self.value(at) >= self.asked.gte

    def value(self, at: int) -> int:
        return len(self.newest(at))

    def evidence(self, at: int) -> tuple[str, ...]:
        return tuple(event.id for event in self.newest(at))


class Sharing(Sliding):
    by_an_event = (True, False)

    def verdict(self, at: int) -> bool | None:
        share = self.value(at)
        return None if share is None else share >= self.asked.gte

    def value(self, at: int) -> float | None:
        window = self.window(at)
        if len(window) < max(1, self.asked.min_events):
            return None
        return sum(self.asked.of(event.data) for event in window) / len(window)

    def evidence(self, at: int) -> tuple[str, ...]:
        return tuple(event.id for event in self.window(at) if self.asked.of(event.data))


class Measuring(Sliding):
    by_an_event = (True, False)

    def counts(self, event: Event) -> bool:
        return self.asked.measure.of(event.data) is not None

    def verdict(self, at: int) -> bool | None:
        return self.asked.measure.says([event.data for event in self.window(at)])

    def value(self, at: int) -> Number | None:
        return self.asked.measure.value(event.data for event in self.window(at))

    def evidence(self, at: int) -> tuple[str, ...]:
        return tuple(event.id for event in self.window(at))


class Flattening(Sliding):
    """`counted` is kept until the key is forgotten."""

    by_an_event = (False,)

    @property
    def first(self) -> int:
        return min(event.at for event in self.counted)

    def verdict(self, at: int) -> bool:
        return bool(self.counted) and at >= self.first + self.asked.within and self.value(at) < self.asked.lt

    def value(self, at: int) -> int:
        return len(self.window(at))

    def evidence(self, at: int) -> tuple[str, ...]:
        return (max(self.counted, key=lambda event: event.at).id,)

    def agenda(self, clock: int | None) -> Agenda:
        ages = [each for each in super().agenda(clock) if each[1] == 0]
        if self.counted:
            newest = max(event.at for event in self.counted)
            ages.append((newest + self.asked.forget, 2, self.forgotten))
        return ages

    def ages_out(self, at: int) -> None:
        self.looked = at
        if self.verdict(at):
            self.story.says_true(at)

    def forgotten(self, at: int) -> None:
        self.story.end(at)
        self.forget()
