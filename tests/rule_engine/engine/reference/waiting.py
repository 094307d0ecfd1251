"""`absence`: the expected event did not come. `reminder`: so long before a moment."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from reference.condition import Agenda, Asked, Condition, Picks
from reference.told import Data, Event


@dataclass(frozen=True)
class Hours:
    """A time interval by name: the moment so much time inside after another, and the time inside between two."""

    after: Callable[[int, int], int]
    between: Callable[[int, int], int]


ALWAYS = Hours(lambda at, span: at + span, lambda start, end: end - start)


@dataclass(frozen=True)
class Absent(Asked):
    """`within` gives how long, `deadline` when, None where the expression fails; one of the two stands."""

    expect: Picks
    within: Callable[[Event], int | None] | None = None
    deadline: Callable[[Event], int | None] | None = None
    grace: int = 0
    cancel_on: Picks = ()
    pause_on: Picks = ()
    resume_on: Picks = ()
    rearm: bool = True
    hours: Hours = ALWAYS

    def begin(self, story: Any) -> "Waiting":
        return Waiting(story)

    def roles(self) -> list[tuple[str, Picks]]:
        return [
            ("cancel", self.cancel_on), ("expect", self.expect), ("pause", self.pause_on), ("resume", self.resume_on),
        ]  # fmt: skip

    def due(self, event: Event) -> int | None:
        if self.within is not None:
            span = self.within(event)
            return None if span is None else self.hours.after(event.at, max(0, span))
        assert self.deadline is not None
        deadline = self.deadline(event)
        return None if deadline is None else max(event.at, self.hours.after(deadline, self.grace))


class Armed(NamedTuple):
    """`due` None: it was due, and waits for `for` or a cooldown; or its clock stands, with `left` to go.

    `turned`: the time of the event that last made the clock run or stand.
    """

    event: Event
    due: int | None
    left: int | None = None
    turned: int = 0


class Waiting(Condition):
    def __init__(self, story: Any) -> None:
        super().__init__(story)
        self.asked: Absent = story.spec.condition
        self.armed: Armed | None = None

    def meets(self, event: Event, roles: set[str], at: int, clock: int | None, previous: Data) -> None:
        if "resume" in roles:
            self.resume(event, at)
        if "matches" in roles:
            self.arm(event, at)
        if "pause" in roles:
            self.pause(event)

    def arm(self, event: Event, at: int) -> None:
        known = self.story.remembered
        if known is not None and known.unanswered and event.at <= known.at + self.story.spec.lookback:
            known.unanswered = False
            return
        if self.armed is not None and (event.at < self.armed.event.at or not self.asked.rearm):
            return
        due = self.asked.due(event)
        if due is not None:
            self.story.not_pending()
            self.armed = Armed(event, max(due, at), turned=event.at)

    def pause(self, event: Event) -> None:
        armed = self.armed
        if armed is not None and armed.due is not None and armed.turned <= event.at:
            left = max(0, self.asked.hours.between(event.at, armed.due))
            self.armed = Armed(armed.event, None, left, event.at)

    def resume(self, event: Event, at: int) -> None:
        armed = self.armed
        if armed is not None and armed.left is not None and armed.turned <= event.at:
            due = self.asked.hours.after(event.at, armed.left)
            self.armed = Armed(armed.event, max(due, at), turned=event.at)

    def agenda(self, clock: int | None) -> Agenda:
        if self.armed is None or self.armed.due is None:
            return []
        return [(self.armed.due, 0, self.comes_due)]

    def comes_due(self, at: int) -> None:
        assert self.armed is not None
        alert = self.story.alert
        if alert is not None:  # it joins the alert that fires already
            assert alert.armed_at is not None
            alert.armed_at = max(alert.armed_at, self.armed.event.at)
            self.armed = None
            return
        self.armed = self.armed._replace(due=None)
        self.story.says_true(at)

    def fired(self) -> None:
        self.armed = None

    def verdict(self, at: int) -> bool:
        return self.armed is not None and self.armed.due is None and self.armed.left is None

    def evidence(self, at: int) -> tuple[str, ...]:
        return (self.armed.event.id,) if self.armed else ()

    @property
    def armed_at(self) -> int | None:
        return self.armed.event.at if self.armed else None

    def ends_by(self, at: int, reach: int) -> bool:
        if self.armed is None or self.armed.event.at > reach:
            return False
        self.story.not_pending()
        self.forget()
        return True

    def forget(self) -> None:
        self.armed = None

    @property
    def remembers(self) -> bool:
        return self.armed is not None


@dataclass(frozen=True)
class Remind(Asked):
    """`at` gives None where the expression fails."""

    momentary: ClassVar[bool] = True
    at: Callable[[Event], int | None]
    before: tuple[Callable[[int], int], ...]
    cancel_on: Picks = ()

    def begin(self, story: Any) -> "Reminding":
        return Reminding(story)

    def roles(self) -> list[tuple[str, Picks]]:
        return [("cancel", self.cancel_on)]


class Reminding(Condition):
    """`moment` is what `armed` asks for; the times still to come are kept beside it, and it as long as it is not past."""

    def __init__(self, story: Any) -> None:
        super().__init__(story)
        self.asked: Remind = story.spec.condition
        self.armed: Event | None = None
        self.moment = 0
        self.times: list[int] = []
        self.due_to: Event | None = None  # what is pending

    def meets(self, event: Event, roles: set[str], at: int, clock: int | None, previous: Data) -> None:
        if "matches" not in roles:
            return
        moment = self.asked.at(event)
        if moment is None:
            return
        if self.armed is not None and (event.at < self.armed.at or moment == self.moment):
            return
        self.story.not_pending()
        self.armed, self.moment = event, moment
        times = sorted({before(moment) for before in self.asked.before})
        self.times = [time for time in times if time > at]
        if len(self.times) < len(times) and moment >= at:
            self.due_to = event
            self.story.says_true(at, event, previous)

    def agenda(self, clock: int | None) -> Agenda:
        out: Agenda = [(at, 0, self.comes_due) for at in self.times]
        return [*out, (max([self.moment, *self.times]), 3, self.past)] if self.armed else out

    def comes_due(self, at: int) -> None:
        self.times.remove(at)
        self.due_to = self.armed
        self.story.says_true(at)

    def past(self, at: int) -> None:
        self.armed = None

    def verdict(self, at: int) -> bool:
        return self.due_to is not None

    def evidence(self, at: int) -> tuple[str, ...]:
        assert self.due_to is not None
        return (self.due_to.id,)

    @property
    def armed_at(self) -> int | None:
        return None if self.due_to is None else self.due_to.at

    def ends_by(self, at: int, reach: int) -> bool:
        ended = False
        if self.armed is not None and self.armed.at <= reach:
            self.armed, self.times, ended = None, [], True
        if self.story.true_since is not None and self.due_to is not None and self.due_to.at <= reach:
            self.story.not_pending()
            ended = True
        return ended

    def forget(self) -> None:
        self.armed, self.times = None, []

    @property
    def remembers(self) -> bool:
        return self.armed is not None or self.story.true_since is not None
