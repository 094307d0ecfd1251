"""`sequence`: steps in their order, or in any."""

from dataclasses import dataclass
from typing import Any, ClassVar

from reference.condition import Agenda, Asked, Condition, Picks
from reference.told import Cause, Data, Event

MOST_PARTIALS = 100


@dataclass(frozen=True)
class Step:
    """`absent`: it is a `not`. `within` None: no bound of its own."""

    picks: Picks
    times: int = 1
    within: int | None = None
    absent: bool = False


@dataclass(frozen=True)
class Steps(Asked):
    momentary: ClassVar[bool] = True
    steps: tuple[Step, ...]
    maxspan: int | None = None
    any_order: bool = False

    def begin(self, story: Any) -> Condition:
        return Gathering(story) if self.any_order else Following(story)

    def roles(self) -> list[tuple[str, Picks]]:
        """`step N` for what is awaited, `not N` for what is forbidden, by its place in the list."""
        return [
            (f"{'not' if step.absent else 'step'} {number}", step.picks)
            for number, step in enumerate(self.steps)
        ]


@dataclass(eq=False)
class Partial:
    """`awaits` is the place in the list of the step it awaits, `got` how often that came already, `since` the event of the step
    before. With a last `not`, `awaits` is that one's place.
    """

    events: list[Event]
    awaits: int
    got: int = 0
    since: Event | None = None

    @property
    def start(self) -> int:
        return self.events[0].at

    @property
    def last(self) -> Event:
        return self.events[-1]


class Following(Condition):
    def __init__(self, story: Any) -> None:
        super().__init__(story)
        self.asked: Steps = story.spec.condition
        steps = self.asked.steps
        self.guard = steps[0] if steps[0].absent else None  # a first `not`
        self.first = 1 if self.guard else 0
        self.silence = len(steps) - 1 if steps[-1].absent else None  # a last `not`
        self.forbidden: list[Event] = []  # what the first `not` is about
        self.partials: list[Partial] = []  # in the order in which they began
        self.complete: Partial | None = None

    # -- one event

    def meets(self, event: Event, roles: set[str], at: int, clock: int | None, previous: Data) -> None:
        if not any(role.startswith(("step", "not")) for role in roles):
            return
        if self.story.remembered is not None and self.story.remembered.at > event.at:
            return
        self.partials = [each for each in self.partials if not self.kills(event, roles, each)]
        completed, silent = [], []
        for partial in self.partials:
            if self.awaits(event, roles, partial):
                self.advance(partial, event)
                completed += [partial] if partial.awaits == len(self.asked.steps) else []
                silent += [partial] if partial.awaits == self.silence else []
        if not completed and f"step {self.first}" in roles and self.allowed(event):
            partial = Partial([], self.first)
            self.advance(partial, event)
            self.partials.append(partial)
            completed += [partial] if partial.awaits == len(self.asked.steps) else []
            silent += [partial] if partial.awaits == self.silence else []
            self.partials = self.partials[-MOST_PARTIALS:]
        if "not 0" in roles:
            self.forbidden.append(event)
        if completed:
            self.completes(max(completed, key=self.youth), at, event, previous)
        elif silent:
            self.one_awaits_silence()

    def kills(self, event: Event, roles: set[str], partial: Partial) -> bool:
        """A `not` stands before the step that is awaited, or last."""
        steps, awaits = self.asked.steps, partial.awaits
        before = awaits if awaits == self.silence else awaits - 1
        forbids = before > 0 and steps[before].absent and f"not {before}" in roles
        return forbids and event.at >= partial.last.at

    def awaits(self, event: Event, roles: set[str], partial: Partial) -> bool:
        return f"step {partial.awaits}" in roles and event.at >= partial.last.at

    def advance(self, partial: Partial, event: Event) -> None:
        steps = self.asked.steps
        partial.events.append(event)
        partial.got += 1
        if partial.got == steps[partial.awaits].times:
            partial.got, partial.since = 0, event
            partial.awaits += 1
            between = partial.awaits < len(steps) - 1 and steps[partial.awaits].absent
            partial.awaits += 1 if between else 0

    def allowed(self, event: Event) -> bool:
        """Whether what a first `not` forbids did not come in [t-within, t)."""
        if self.guard is None:
            return True
        assert self.guard.within is not None
        return not any(event.at - self.guard.within <= each.at < event.at for each in self.forbidden)

    def youth(self, partial: Partial) -> tuple[int, int]:
        return partial.start, self.partials.index(partial)

    def one_awaits_silence(self) -> None:
        """Of two the one with the latest event stays, of those of one event the youngest."""
        silent = [each for each in self.partials if each.awaits == self.silence]
        stays = max(silent, key=lambda each: (each.last.at, each.start, self.partials.index(each)))
        self.partials = [each for each in self.partials if each not in silent or each is stays]

    # -- time

    def until(self, partial: Partial) -> int | None:
        """The last moment in time for what it awaits; for a last `not`, the moment at which it completes."""
        step, bounds = self.asked.steps[partial.awaits], []
        if self.asked.maxspan is not None:
            bounds.append(partial.start + self.asked.maxspan)
        if step.within is not None and partial.since is not None:
            bounds.append(partial.since.at + step.within)
        return min(bounds, default=None)

    def agenda(self, clock: int | None) -> Agenda:
        out: Agenda = []
        for partial in self.partials:
            until = self.until(partial)
            if until is not None and partial.awaits == self.silence:
                until = until if self.story.latest is None else max(until, self.story.latest)
                out.append((until, 0, self.stayed_away))
            elif until is not None:
                out.append((until, 3, self.too_late))
        if self.guard is not None and self.forbidden:
            assert self.guard.within is not None
            out.append((max(each.at for each in self.forbidden) + self.guard.within, 3, self.out_of_sight))
        return out

    def stayed_away(self, at: int) -> None:
        partial = next(each for each in self.partials if each.awaits == self.silence)
        self.completes(partial, at, None, {})

    def too_late(self, at: int) -> None:
        self.partials = [
            each
            for each in self.partials
            if each.awaits == self.silence or (until := self.until(each)) is None or until > at
        ]

    def out_of_sight(self, at: int) -> None:
        assert self.guard is not None
        assert self.guard.within is not None
        self.forbidden = [each for each in self.forbidden if each.at + self.guard.within > at]

    # -- what it comes to

    def completes(self, partial: Partial, at: int, event: Event | None, previous: Data) -> None:
        self.complete = partial
        self.partials = []
        self.story.says_true(at, event, previous)

    def verdict(self, at: int) -> bool:
        return self.complete is not None

    @property
    def cause(self) -> Cause | None:
        if self.silence is None or self.complete is None or self.story.spec.wait:
            return None
        return self.complete.last.cause

    def last(self, at: int) -> tuple[Event | None, Data]:
        assert self.complete is not None
        return self.complete.last, {}

    def evidence(self, at: int) -> tuple[str, ...]:
        assert self.complete is not None
        return tuple(event.id for event in self.complete.events)

    def ends_by(self, at: int, reach: int) -> bool:
        left = [each for each in self.partials if each.last.at > reach]
        ended = len(left) < len(self.partials)
        self.partials = left
        self.forbidden = [each for each in self.forbidden if each.at > reach]
        pending = self.story.true_since is not None and self.complete is not None
        if pending and self.complete.last.at <= reach:
            self.story.not_pending()
            ended = True
        return ended

    def forget(self) -> None:
        self.partials, self.forbidden = [], []

    @property
    def remembers(self) -> bool:
        return bool(self.partials) or bool(self.forbidden) or self.story.true_since is not None


class Gathering(Condition):
    """`any_order`: an event counts for every step it matches."""

    def __init__(self, story: Any) -> None:
        super().__init__(story)
        self.asked: Steps = story.spec.condition
        self.seen: list[tuple[Event, set[str]]] = []  # in order of arrival
        self.found: list[Event] = []

    def matched(self, event: Event, at: int, clock: int | None, previous: Data) -> None:
        raise NotImplementedError

    def meets(self, event: Event, roles: set[str], at: int, clock: int | None, previous: Data) -> None:
        if "matches" not in roles:
            return
        self.seen.append((event, roles))
        found = self.all_steps(at)
        if found is not None:
            self.found = found
            self.seen = []
            self.story.says_true(at, event, previous)

    def all_steps(self, at: int) -> list[Event] | None:
        """The last `times` of each step by time; None if some are missing in [t-maxspan, t]."""
        assert self.asked.maxspan is not None
        found: dict[str, Event] = {}
        for number, step in enumerate(self.asked.steps):
            inside = [
                event
                for event, roles in self.seen
                if f"step {number}" in roles and at - self.asked.maxspan <= event.at <= at
            ]
            if len(inside) < step.times:
                return None
            for event in sorted(inside, key=lambda event: event.at)[-step.times :]:
                found[event.id] = event
        order = [event.id for event, _ in self.seen]
        return sorted(found.values(), key=lambda event: (event.at, order.index(event.id)))

    def agenda(self, clock: int | None) -> Agenda:
        if not self.seen:
            return []
        assert self.asked.maxspan is not None
        return [(max(event.at for event, _ in self.seen) + self.asked.maxspan, 3, self.too_late)]

    def too_late(self, at: int) -> None:
        self.seen = []

    def verdict(self, at: int) -> bool:
        return bool(self.found)

    def evidence(self, at: int) -> tuple[str, ...]:
        return tuple(event.id for event in self.found)

    def last(self, at: int) -> tuple[Event | None, Data]:
        return self.story.last, {}

    def ends_by(self, at: int, reach: int) -> bool:
        last = self.story.last
        if not (self.seen or self.story.true_since is not None) or last is None or last.at > reach:
            return False
        self.story.not_pending()
        self.forget()
        return True

    def forget(self) -> None:
        self.seen = []

    @property
    def remembers(self) -> bool:
        return bool(self.seen) or self.story.true_since is not None
