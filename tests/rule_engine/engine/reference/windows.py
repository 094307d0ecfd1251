"""Conditions over hopping windows [t-within, t): `ratio` with `every`, `aggregate`. Every window is added up anew."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reference.condition import Agenda, Asked, Condition
from reference.measures import Measure, Number
from reference.told import DAY, Data, Event


@dataclass(frozen=True)
class Windowed(Asked):
    within: int
    every: int
    min_events: int = 1
    no_data: int | None = None
    forget: int = 7 * DAY


@dataclass(frozen=True)
class ShareWindows(Windowed):
    of: Callable[[Data], bool] = lambda data: False
    gte: float = 1

    def begin(self, story: Any) -> "SharingWindows":
        return SharingWindows(story)

    def concerns(self, data: Data) -> bool:
        return self.of(data)


@dataclass(frozen=True)
class Aggregate(Windowed):
    measure: Measure | None = None

    def begin(self, story: Any) -> "Aggregating":
        return Aggregating(story)


class Hopping(Condition):
    """`ended` is the last window that ended, `said` that said something, `filled` that was not empty."""

    waits_for_clock = True
    speaks_when_empty = False

    def __init__(self, story: Any) -> None:
        super().__init__(story)
        self.asked = story.spec.condition
        self.counted: list[Event] = []
        self.before: Event | None = None  # the last that lies before the window
        self.befores: dict[str, Data] = {}
        self.first: int | None = None  # the time of the key's first event
        self.ended: int | None = None
        self.said: int | None = None
        self.filled: int | None = None

    # -- what a condition has of its own

    def counts(self, event: Event) -> bool:
        return True

    def says(self, at: int) -> bool | None:
        """Of the window that ends at this time."""
        raise NotImplementedError

    @property
    def reach(self) -> int:
        """How far back from a window's end its events may lie."""
        return int(self.asked.within)

    # -- what they have in common

    def matched(self, event: Event, at: int, clock: int | None, previous: Data) -> None:
        if not self.counts(event):
            return
        last_end = self.first_end(event.at) + self.reach - self.asked.every
        if clock is None or last_end >= clock:
            self.counted.append(event)
            self.befores[event.id] = previous
            self.first = event.at if self.first is None else min(self.first, event.at)

    def window(self, at: int, back: int = 0) -> list[Event]:
        """The events of the window that ends at this time, or so long before it, by time and id."""
        start, end = at - back - self.asked.within, at - back
        inside = [event for event in self.counted if start <= event.at < end]
        return sorted(inside, key=lambda event: (event.at, event.id))

    def first_end(self, at: int) -> int:
        """Of the windows that a time lies in."""
        return int((at // self.asked.every + 1) * self.asked.every)

    def agenda(self, clock: int | None) -> Agenda:
        out: Agenda = []
        ends = [end for end in self.ends() if clock is None or end >= clock]
        ends = [end for end in ends if self.ended is None or end > self.ended]
        if ends:
            out.append((min(ends), 0, self.window_ends))
        waiting = self.story.alert is not None or self.story.true_since is not None
        if self.asked.no_data is not None and self.said is not None and waiting and not self.counts_as_false:
            out.append((self.said + self.asked.no_data, 1, self.no_data))
        if self.filled is not None:
            empty_for = self.filled + self.asked.forget
            out.append((-(-empty_for // self.asked.every) * self.asked.every, 2, self.forget_windows))
        return out

    def ends(self) -> list[int]:
        """Of all windows that matter."""
        found: set[int] = set()
        every = self.asked.every
        for event in self.counted:
            first = self.first_end(event.at)
            found.update(range(first, first + self.asked.within, every))
        if self.speaks_when_empty and self.first is not None:
            known = self.first_end(self.first)
            known = known if self.ended is None else max(known, self.ended + every)
            found.update(range(known, known + self.reach, every))
        return sorted(found)

    def window_ends(self, at: int) -> None:
        self.ended = at
        if self.window(at):
            self.filled = at
        says = self.says(at)
        if says is not None:
            self.said = at
            self.counts_as_false = False
            if says:
                self.story.says_true(at)
            else:
                self.story.says_false(at, self.value(at))
        self.before = self.last_before(at)
        self.counted = [
            event for event in self.counted if self.first_end(event.at) + self.reach - self.asked.every > at
        ]

    def last_before(self, at: int) -> Event | None:
        before = [self.before] if self.before else []
        before += [event for event in self.counted if event.at < at]
        return max(before, key=lambda event: (event.at, event.id), default=None)

    def no_data(self, at: int) -> None:
        self.counts_as_false = True
        self.story.says_false(at, None)

    def forget_windows(self, at: int) -> None:
        """What is ahead of the clock stays."""
        self.story.end(at)
        self.said = self.filled = None
        self.counts_as_false = False
        self.counted = [event for event in self.counted if event.at >= at]
        self.before = None
        self.first = min((event.at for event in self.counted), default=None)

    def verdict(self, at: int) -> bool:
        return (
            not self.counts_as_false
        )  # asked where silence counts as false, at the end of `keep_firing_for`

    def last(self, at: int) -> tuple[Event | None, Data]:
        last = self.last_before(at)
        return last, self.befores[last.id] if last else {}

    def evidence(self, at: int) -> tuple[str, ...]:
        return tuple(event.id for event in self.window(at))

    def ends_by(self, at: int, reach: int) -> bool:
        last = self.story.last
        if not self.remembers or last is None or last.at > reach:
            return False
        self.story.not_pending()
        self.forget()
        return True

    def forget(self) -> None:
        self.counted = []
        self.before = None
        self.first = self.said = self.filled = None
        self.counts_as_false = False

    @property
    def remembers(self) -> bool:
        return bool(self.counted) or self.filled is not None


class SharingWindows(Hopping):
    def says(self, at: int) -> bool | None:
        share = self.value(at)
        enough = len(self.window(at)) >= self.asked.min_events
        return share >= self.asked.gte if enough and share is not None else None

    def value(self, at: int) -> float | None:
        window = self.window(at)
        return sum(self.asked.of(event.data) for event in window) / len(window) if window else None

    def evidence(self, at: int) -> tuple[str, ...]:
        return tuple(event.id for event in self.window(at) if self.asked.of(event.data))


class Aggregating(Hopping):
    def __init__(self, story: Any) -> None:
        super().__init__(story)
        self.measure: Measure = self.asked.measure
        self.speaks_when_empty = self.measure.min_events == 0

    def counts(self, event: Event) -> bool:
        return self.measure.of(event.data) is not None

    def says(self, at: int) -> bool | None:
        return self.measure.says([event.data for event in self.window(at)])

    def value(self, at: int) -> Number | None:
        return self.measure.value(event.data for event in self.window(at))
