"""The rule language read as plainly as it can be: a rule and its events, in order of arrival, in; all transitions out.

Written from docs/rule-language.md and docs/rule-language-notes.md, with nothing of the engine's: no expression is
evaluated (plain functions stand for them), nothing is indexed or added up, and every window is counted anew from the full
list of events at every instant that matters. Slow, and meant to be. Times are microseconds since the Unix epoch.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

DAY = 86_400_000_000
NAMESPACE = uuid.UUID("3111a6fe-024e-5562-9822-f6ebd6a62740")
SEVERITIES = ("info", "warning", "critical")

Key = str | tuple[str, ...]
Data = dict[str, Any]


class Event(NamedTuple):
    """`stored`: when the broker stored it, None where there is none."""

    at: int
    id: str
    type: str
    customer: str | None
    data: Data
    source: str = "test"
    stored: int | None = None

    @property
    def reached(self) -> int:
        """The clock is moved to there, but for the allowed lateness."""
        return self.at if self.stored is None else min(self.at, self.stored)


class Told(NamedTuple):
    """A transition. `due` are the entries of `notify` by index, `cause` source and id of an event."""

    at: int
    rule: str
    key: Key
    customer: str | None
    state: str
    alert: str
    seq: int
    fired_at: int
    severity: str
    value: Any
    vars: Data
    evidence: tuple[str, ...]
    due: tuple[int, ...]
    cause: tuple[str, str] | None
    how: str | None
    momentary: bool


@dataclass(frozen=True)
class Pick:
    """A selector. `key` None: as the rule's."""

    type: str
    where: Callable[[Data], bool] = lambda data: True
    key: Callable[[Event], Key | None] | None = None


@dataclass(frozen=True)
class Match:
    pass


@dataclass(frozen=True)
class Count:
    gte: int
    within: int


@dataclass(frozen=True)
class Share:
    """`every` None: sliding."""

    of: Callable[[Data], bool]
    gte: float
    within: int
    min_events: int = 1
    every: int | None = None
    no_data: int | None = None
    forget: int = 7 * DAY


@dataclass(frozen=True)
class Absent:
    """`due` gives the due time of an arming event, None where its expression fails."""

    expect: tuple[Pick, ...]
    due: Callable[[Event], int | None]
    cancel_on: tuple[Pick, ...] = ()
    rearm: bool = True


@dataclass(frozen=True)
class Entry:
    after: int = 0
    every: int | None = None
    resolves: bool = True
    severity: str | None = None
    affected: bool = False


@dataclass(frozen=True)
class Spec:
    """A rule. `where` sees data and previous, `vars` data, previous, value and key."""

    id: str
    on: tuple[Pick, ...]
    condition: Match | Count | Share | Absent
    key: Callable[[Event], Key | None]
    where: Callable[[Data, Data], bool] = lambda data, previous: True
    resolve_on: tuple[Pick, ...] = ()
    resolve_after: int = 365 * DAY
    cooldown: int = 0
    lookback: int = 60_000_000
    entries: tuple[Entry, ...] = ()
    severity: str = "warning"
    vars: Callable[[Data, Data, Any, Key], Data] = lambda data, previous, value, key: {}
    uses_previous: bool = False

    @property
    def momentary(self) -> bool:
        return isinstance(self.condition, Match)


@dataclass
class Alert:
    id: str
    fired_at: int
    severity: str
    value: Any
    vars: Data
    evidence: tuple[str, ...]
    until: int | None
    armed_at: int | None
    seq: int = 0
    pending: list[tuple[int, int]] = field(default_factory=list)
    told: list[int] = field(default_factory=list)


class Armed(NamedTuple):
    event: Event
    due: int | None  # None: it was due, and a cooldown holds it back


class Remembered(NamedTuple):
    at: int
    unanswered: bool


def rules_over(
    specs: Iterable[Spec], events: Sequence[Event], *, lateness: int = 0, until: int | None = None
) -> list[Told]:
    """What rules of scope customer tell of these events, in the order of tests."""
    told: list[Told] = []
    for spec in specs:
        told += Reading(spec, lateness).read(events, until)
    return in_order(told)


def in_order(told: Iterable[Told]) -> list[Told]:
    return sorted(told, key=lambda each: (each.at, each.rule, _as_list(each.key), each.customer or ""))


def alert_id(rule: str, customer: str | None, key: Key, fired_at: int, cause: tuple[str, str] | None) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=fired_at)
    name = [rule, customer, key, f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z", *(cause or (None, None))]
    return str(uuid.uuid5(NAMESPACE, json.dumps(name, separators=(",", ":"), ensure_ascii=False)))


class Reading:
    """One rule over a stream: the clock, and a story for each customer and key."""

    def __init__(self, spec: Spec, lateness: int = 0) -> None:
        self.spec = spec
        self.lateness = lateness
        self.clock: int | None = None
        self.stories: dict[tuple[str | None, Key], Story] = {}

    def read(self, events: Sequence[Event], until: int | None) -> list[Told]:
        for event in events:
            self.move(event.reached - self.lateness)
            if event.customer is not None:
                for key, roles in self.roles(event).items():
                    story = self.stories.setdefault(
                        (event.customer, key), Story(self.spec, event.customer, key)
                    )
                    story.meet(event, roles, self.clock)
            self.move(event.reached - self.lateness)  # a late event may have caused what is due already
        if until is not None:
            self.move(until + 1)
        return [told for story in self.stories.values() for told in story.told]

    def move(self, to: int) -> None:
        before = self.clock
        self.clock = to if before is None else max(before, to)
        for story in self.stories.values():
            story.wait(before, self.clock)

    def roles(self, event: Event) -> dict[Key, set[str]]:
        spec, found = self.spec, dict[Key, set[str]]()
        absent = spec.condition if isinstance(spec.condition, Absent) else None
        for role, picks in (
            ("cancel", absent.cancel_on if absent else ()),
            ("resolve", spec.resolve_on),
            ("expect", absent.expect if absent else ()),
            ("on", spec.on),
        ):
            for pick in picks:
                if fnmatchcase(event.type, pick.type) and pick.where(event.data):
                    key = (pick.key or spec.key)(event)
                    if key is not None:
                        found.setdefault(key, set()).add(role)
                        break
        return found


class WholeReading(Reading):
    """A rule of scope global: one story a key, and its events act in order of time, once the clock is later."""

    def __init__(self, spec: Spec, lateness: int = 0) -> None:
        super().__init__(spec, lateness)
        self.waiting: list[tuple[int, int, Key, set[str], Event]] = []

    def read(self, events: Sequence[Event], until: int | None) -> list[Told]:
        for number, event in enumerate(events):
            self.move(event.reached - self.lateness)
            self.waiting += [
                (event.at, number, key, roles, event) for key, roles in self.roles(event).items()
            ]
            self.move(event.reached - self.lateness)
        if until is not None:
            self.move(until + 1)
        return [told for story in self.stories.values() for told in story.told]

    def move(self, to: int) -> None:
        to = to if self.clock is None else max(self.clock, to)
        for each in sorted(self.waiting, key=lambda each: each[:2]):
            at, _, key, roles, event = each
            if at < to:
                self.waiting.remove(each)
                super().move(at)
                story = self.stories.setdefault((None, key), Story(self.spec, None, key))
                story.meet(event, roles, self.clock)
        super().move(to)


def whole_over(
    spec: Spec, events: Sequence[Event], *, lateness: int = 0, until: int | None = None
) -> list[Told]:
    """What a rule of scope global tells, but for the customers whom it affects."""
    entries = tuple(entry for entry in spec.entries if not entry.affected)
    told = WholeReading(replace(spec, entries=entries), lateness).read(events, until)
    index = [index for index, entry in enumerate(spec.entries) if not entry.affected]
    return in_order(each._replace(due=tuple(index[due] for due in each.due)) for each in told)


def affected_over(spec: Spec, events: Sequence[Event], until: int, whole: Iterable[Told]) -> list[Told]:
    """What the customers behind its events are told. The events have to be in order of time."""
    reading = Reading(spec)
    out: list[Told] = []
    for firing in whole:
        if firing.state == "firing":
            last = [
                each for each in whole if each.alert == firing.alert and each.state in ("resolved", "ended")
            ]
            resolving = [
                event.at for event in events if "resolve" in reading.roles(event).get(firing.key, ())
            ]
            ended = [each.at for each in whole if each.key == firing.key and each.state == "ended"]
            forgotten = max([at for at in [*resolving, *ended] if at < firing.at], default=-1)
            for customer in sorted({event.customer for event in events if event.customer is not None}):
                behind = [
                    event
                    for event in events
                    if event.customer == customer
                    and "on" in reading.roles(event).get(firing.key, ())
                    and spec.where(event.data, {})
                    and spec.condition.of(event.data)
                    and max(firing.at - spec.condition.within, forgotten)
                    <= event.at
                    <= (last[0].at if last else until)
                ]
                if behind:
                    out += _affected(spec, firing, last[0] if last else None, customer, behind, until)
    return in_order(out)


def _affected(
    spec: Spec, firing: Told, last: Told | None, customer: str, behind: list[Event], until: int
) -> list[Told]:
    first = behind[0]
    cause = None if first.at <= firing.at else (first.source, first.id)
    at = max(first.at, firing.at)
    evidence = [event for event in behind if event.at <= at]
    if cause is not None:
        evidence = evidence[:1]
    alert = Alert(
        id=alert_id(spec.id, customer, firing.key, at, cause),
        fired_at=at,
        severity=spec.severity,
        value=firing.value,
        vars=spec.vars(evidence[-1].data, {}, firing.value, firing.key),
        evidence=tuple(event.id for event in evidence)[-10:],
        until=None,
        armed_at=None,
    )
    story = Story(spec, customer, firing.key)
    story.alert = alert
    alert.pending = [
        (at + entry.after, i) for i, entry in enumerate(spec.entries) if entry.affected and entry.after
    ]
    due = [i for i, entry in enumerate(spec.entries) if entry.affected and not entry.after]
    story.tell(alert, "firing", at, due, cause=cause)
    end = until if last is None else last.at - 1
    while alert.pending and min(alert.pending)[0] <= end:
        story.entries_due(min(alert.pending)[0])
    if last is not None and last.state == "resolved":
        assert last.how is not None
        story.resolve(last.at, last.value, last.how, None)
    elif last is not None:
        story.end(last.at)
    return story.told


class Story:
    """A rule, a customer and a key: all that happened to them."""

    def __init__(self, spec: Spec, customer: str | None, key: Key) -> None:
        self.spec = spec
        self.customer = customer
        self.key = key
        self.told: list[Told] = []
        self.latest: int | None = None  # the largest time of its events and transitions
        self.counted: list[Event] = []  # matching ones that no forgetting took, in order of arrival
        self.last: Event | None = None  # the last matching one, with what was `previous` then
        self.last_previous: Data = {}
        self.befores: dict[str, Data] = {}
        self.armed: Armed | None = None
        self.alert: Alert | None = None
        self.over: list[Alert] = []  # momentary ones with entries to come
        self.cooled: int | None = None
        self.held = False
        self.remembered: Remembered | None = None
        self.previous: Event | None = None
        self.ended: int | None = None  # the last window that ended, that said something, that was not empty
        self.said: int | None = None
        self.filled: int | None = None

    # -- one event, and the passing of time

    def meet(self, event: Event, roles: set[str], clock: int | None) -> None:
        spec = self.spec
        previous = self.previous.data if self.previous else {}
        matches = "on" in roles and spec.where(event.data, previous)
        if matches or roles != {"on"}:
            self.catch_up(event.at, clock)
            self.latest = event.at if self.latest is None else max(self.latest, event.at)
            if roles & {"cancel", "resolve", "expect"}:
                self.end_by(event, roles, matches=matches, clock=clock)
            if matches and (self.remembered is None or self.remembered.at <= event.at):
                if self.last is None or event.at >= self.last.at:
                    self.last, self.last_previous = event, previous
                self.match(event, self.latest, clock, previous)
        if spec.uses_previous and "on" in roles and (self.previous is None or event.at >= self.previous.at):
            self.previous = event
        self.forget_what_is_over(clock)

    def wait(self, before: int | None, clock: int) -> None:
        """The clock went from one time to another: all that is due before it."""
        while agenda := self.agenda(before):
            at, _, act = min(agenda, key=lambda each: each[:2])
            if at >= clock:
                break
            act(at)
        self.forget_what_is_over(clock)

    def catch_up(self, to: int, clock: int | None) -> None:
        """What is due before an event of the key's own; but window ends wait for the clock, and so does what follows them."""
        while agenda := self.agenda(clock):
            at, _, act = min(agenda, key=lambda each: each[:2])
            if at >= to or act.__name__ in {"window_ends", "no_data", "forget_windows"}:
                break
            act(at)

    def forget_what_is_over(self, clock: int | None) -> None:
        if clock is None:
            return
        if self.remembered is not None and clock > self.remembered.at + self.spec.lookback:
            self.remembered = None
        if self.previous is not None and clock > self.previous.at + 90 * DAY:
            self.previous = None
        left = [self.counted, self.armed, self.alert, self.over, self.remembered, self.previous]
        if not any(left) and self.cooled is None and self.filled is None:
            self.latest = self.last = None

    def agenda(self, clock: int | None) -> list[tuple[int, int, Callable[[int], None]]]:
        """All that time will do: when, in what order at one time, and what."""
        out = self.condition_agenda(clock)
        if self.cooled is not None:
            out.append((self.cooled, 4, self.cooldown_ends))
        out += [(at, 5, self.entries_due) for alert in self.alerts for at, _ in alert.pending]
        if self.alert is not None and self.alert.until is not None:
            out.append((self.alert.until, 6, self.resolve_after))
        return out

    @property
    def alerts(self) -> list[Alert]:
        return ([self.alert] if self.alert else []) + self.over

    # -- conditions

    def match(self, event: Event, at: int, clock: int | None, previous: Data) -> None:
        condition = self.spec.condition
        if isinstance(condition, Match):
            self.rise(at, None, (event.id,), event, previous)
        elif isinstance(condition, Absent):
            self.arm(event, at)
        elif isinstance(condition, Count):
            self.counted.append(event)
            if self.count(at) >= condition.gte:
                self.rise(at, self.count(at), self.evidence(at), event, previous)
        elif condition.every is None:
            self.counted.append(event)
            share = self.share(at)
            if share is not None and share >= condition.gte:
                self.rise(at, share, self.evidence(at), event, previous)
            elif share is not None:
                self.fall(at, share)
        elif clock is None or self.last_end_of(event) >= clock:
            self.counted.append(event)
            self.befores[event.id] = previous

    def arm(self, event: Event, at: int) -> None:
        condition, known = self.spec.condition, self.remembered
        assert isinstance(condition, Absent)
        if known is not None and known.unanswered and event.at <= known.at + self.spec.lookback:
            self.remembered = Remembered(known.at, unanswered=False)
            return
        if self.armed is not None and (event.at < self.armed.event.at or not condition.rearm):
            return
        due = condition.due(event)
        if due is not None:
            self.held = False
            self.armed = Armed(event, max(due, at))

    def condition_agenda(self, clock: int | None) -> list[tuple[int, int, Callable[[int], None]]]:
        condition = self.spec.condition
        out: list[tuple[int, int, Callable[[int], None]]] = []
        if isinstance(condition, Absent) and self.armed is not None and self.armed.due is not None:
            out.append((self.armed.due, 0, self.comes_due))
        if isinstance(condition, Count | Share) and self.counted and self._sliding:
            ages = sorted({event.at + condition.within for event in self.counted})
            out.append((ages[-1], 3, self.all_aged_out))
            for at in ages if self.alert or self.held else ():
                if self.latest is not None and at >= self.latest and self.false(at):
                    out.append((at, 0, self.ages_out))
                    break
        if isinstance(condition, Share) and condition.every is not None:
            ends = [
                end for event in self.counted for end in self.ends_of(event) if clock is None or end >= clock
            ]
            ends = [end for end in ends if self.ended is None or end > self.ended]
            if ends:
                out.append((min(ends), 0, self.window_ends))
            if condition.no_data is not None and self.said is not None and self.alert is not None:
                out.append((self.said + condition.no_data, 1, self.no_data))
            if self.filled is not None:
                empty_for = -(-(self.filled + condition.forget) // condition.every) * condition.every
                out.append((empty_for, 2, self.forget_windows))
        return out

    def comes_due(self, at: int) -> None:
        assert self.armed is not None
        if self.alert is not None:  # it joins the alert that fires already
            self.alert.armed_at = max(self.alert.armed_at or 0, self.armed.event.at)
            self.armed = None
            return
        self.armed = self.armed._replace(due=None)
        self.rise(at, None, (self.armed.event.id,), None, {})
        if not self.held:
            self.armed = None

    def ages_out(self, at: int) -> None:
        self.fall(at, self.count(at) if isinstance(self.spec.condition, Count) else self.share(at))

    def all_aged_out(self, at: int) -> None:
        self.counted = [event for event in self.counted if event.at > at]

    def window_ends(self, at: int) -> None:
        condition = self.spec.condition
        assert isinstance(condition, Share)
        self.ended = at
        if self.window(at):
            self.filled = at
        share = self.share(at)
        if share is not None:
            self.said = at
            if share >= condition.gte:
                self.rise(at, share, self.evidence(at), None, {})
            else:
                self.fall(at, share)
        self.counted = [event for event in self.counted if self.last_end_of(event) > at]

    def no_data(self, at: int) -> None:
        self.fall(at, None)

    def forget_windows(self, at: int) -> None:
        self.end(at)
        self.said = self.filled = None

    def false(self, at: int) -> bool:
        condition = self.spec.condition
        if isinstance(condition, Count):
            return self.count(at) < condition.gte
        assert isinstance(condition, Share)
        share = self.share(at)
        return share is not None and share < condition.gte

    def true(self, at: int) -> bool:
        """Asked when a cooldown that held it back ends."""
        condition = self.spec.condition
        if isinstance(condition, Count):
            return self.count(at) >= condition.gte
        if isinstance(condition, Share):
            share = self.share(at)
            return condition.every is None and share is not None and share >= condition.gte
        return self.armed is not None

    def window(self, at: int) -> list[Event]:
        """The events of the window that ends at this time, by time."""
        condition = self.spec.condition
        assert isinstance(condition, Count | Share)
        if self._sliding:
            inside = [event for event in self.counted if at - condition.within < event.at <= at]
            return sorted(inside, key=lambda event: event.at)
        inside = [event for event in self.counted if at - condition.within <= event.at < at]
        return sorted(inside, key=lambda event: (event.at, event.id))

    def count(self, at: int) -> int:
        condition = self.spec.condition
        assert isinstance(condition, Count)
        return min(condition.gte, len(self.window(at)))  # the newest `gte` are kept

    def share(self, at: int) -> float | None:
        condition = self.spec.condition
        assert isinstance(condition, Share)
        window = self.window(at)
        if len(window) < condition.min_events or not window:
            return None
        return sum(condition.of(event.data) for event in window) / len(window)

    def evidence(self, at: int) -> tuple[str, ...]:
        condition = self.spec.condition
        if isinstance(condition, Absent):
            return (self.armed.event.id,) if self.armed else ()
        if isinstance(condition, Share):
            return tuple(event.id for event in self.window(at) if condition.of(event.data))[-10:]
        assert isinstance(condition, Count)
        return tuple(event.id for event in self.window(at)[-condition.gte :])[-10:]

    @property
    def _sliding(self) -> bool:
        return not isinstance(self.spec.condition, Share) or self.spec.condition.every is None

    def ends_of(self, event: Event) -> list[int]:
        """The ends of all windows that an event lies in."""
        condition = self.spec.condition
        assert isinstance(condition, Share)
        assert condition.every is not None
        first = (event.at // condition.every + 1) * condition.every
        return list(range(first, first + condition.within, condition.every))

    def last_end_of(self, event: Event) -> int:
        return self.ends_of(event)[-1]

    # -- what an event ends

    def end_by(self, event: Event, roles: set[str], *, matches: bool, clock: int | None) -> None:
        ended = self.ends(event, event.at)
        if not ended and "expect" in roles and not matches:
            ended = self.ends(event, event.at + self.spec.lookback)
        too_old = clock is not None and clock > event.at + self.spec.lookback
        if not matches and not too_old and (self.remembered is None or event.at >= self.remembered.at):
            self.remembered = Remembered(event.at, unanswered="expect" in roles and not ended)

    def ends(self, event: Event, reach: int) -> bool:
        """End what is due to an event not younger than `reach`; whether there was anything."""
        ended = False
        if self.armed is not None and self.armed.event.at <= reach:
            self.armed, self.held, ended = None, False, True
        if (self.counted or self.filled is not None) and self.last is not None and self.last.at <= reach:
            self.forget()
            ended = True
        if self.alert is not None:
            due_to = self.alert.armed_at
            if due_to is None:
                due_to = self.last.at if self.last else event.at
            if due_to <= reach:
                self.held = False
                assert self.latest is not None
                self.resolve(self.latest, None, "event", (event.source, event.id))
                ended = True
        return ended

    def forget(self) -> None:
        self.counted = []
        self.armed = None
        self.held = False
        self.said = self.filled = None

    # -- the life of an alert

    def rise(
        self, at: int, value: Any, evidence: tuple[str, ...], event: Event | None, previous: Data
    ) -> None:
        if self.alert is not None:
            return
        if self.cooled is not None and at < self.cooled:
            self.held = not self.spec.momentary
            return
        self.fire(at, value, evidence, event, previous)

    def fire(
        self, at: int, value: Any, evidence: tuple[str, ...], event: Event | None, previous: Data
    ) -> None:
        spec = self.spec
        self.held = False
        cause = None if event is None else (event.source, event.id)
        seen, before = (self.last, self.last_previous) if event is None else (event, previous)
        if not self._sliding:  # of the window, which events ahead of the clock are no part of
            seen = self.window(at)[-1]
            before = self.befores[seen.id]
        momentary = spec.momentary and not spec.resolve_on
        alert = Alert(
            id=alert_id(spec.id, self.customer, self.key, at, cause),
            fired_at=at,
            severity=spec.severity,
            value=value,
            vars=spec.vars(seen.data if seen else {}, before, value, self.key),
            evidence=evidence,
            until=None
            if momentary
            else at + max([spec.resolve_after, *(entry.after for entry in spec.entries)]),
            armed_at=self.armed.event.at if self.armed else None,
            pending=[(at + entry.after, index) for index, entry in enumerate(spec.entries) if entry.after],
        )
        if spec.cooldown:
            self.cooled = at + spec.cooldown
        self.tell(
            alert, "firing", at, [i for i, entry in enumerate(spec.entries) if not entry.after], cause=cause
        )
        if not momentary:
            self.alert = alert
        elif alert.pending:
            self.over.append(alert)

    def fall(self, at: int, value: Any) -> None:
        self.held = False
        if self.alert is not None:
            self.resolve(at, value, "condition", None)

    def resolve(self, at: int, value: Any, how: str, cause: tuple[str, str] | None) -> None:
        alert, self.alert = self.alert, None
        assert alert is not None
        told = [index for index in sorted(alert.told) if self.spec.entries[index].resolves]
        self.tell(alert, "resolved", at, told, value=value, how=how, cause=cause)

    def end(self, at: int) -> None:
        self.held = False
        if self.alert is not None:
            alert, self.alert = self.alert, None
            self.tell(alert, "ended", at, [])

    def cooldown_ends(self, at: int) -> None:
        self.cooled = None
        if self.held and self.true(at):
            value = None
            if isinstance(self.spec.condition, Count):
                value = self.count(at)
            elif isinstance(self.spec.condition, Share):
                value = self.share(at)
            self.fire(at, value, self.evidence(at), None, {})
            self.armed = None
        self.held = False

    def entries_due(self, at: int) -> None:
        for alert in self.alerts:
            due = sorted(index for time, index in alert.pending if time == at)
            if due:
                alert.pending = [(time, index) for time, index in alert.pending if time != at]
                self.tell(alert, "due", at, due)
        self.over = [alert for alert in self.over if alert.pending]

    def resolve_after(self, at: int) -> None:
        self.end(at)
        self.forget()

    def tell(
        self, alert: Alert, state: str, at: int, due: list[int], *,
        value: Any = None, how: str | None = None, cause: tuple[str, str] | None = None,
    ) -> None:  # fmt: skip
        if state in ("firing", "due"):
            for index in due:
                entry = self.spec.entries[index]
                alert.severity = max(alert.severity, entry.severity or alert.severity, key=SEVERITIES.index)
                if index not in alert.told:
                    alert.told.append(index)
                if entry.every is not None:
                    alert.pending.append((at + entry.every, index))
        alert.seq += 1
        self.latest = at if self.latest is None else max(self.latest, at)
        self.told.append(
            Told(
                at, self.spec.id, self.key, self.customer, state, alert.id, alert.seq, alert.fired_at, alert.severity,
                value if state == "resolved" else alert.value, alert.vars, alert.evidence, tuple(due), cause, how,
                self.spec.momentary and not self.spec.resolve_on,
            )
        )  # fmt: skip


def _as_list(key: Key) -> list[str]:
    return [key] if isinstance(key, str) else list(key)
