"""Rules of scope global: one story a key for all customers, and what the customers are told whom an alert affects."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from reference.life import Alert
from reference.reading import Reading
from reference.rule import Spec
from reference.story import Story
from reference.told import Event, Key, Told, alert_id, in_order


def whole_over(
    spec: Spec, events: Sequence[Event], *, lateness: int = 0, until: int | None = None
) -> list[Told]:
    """What a rule of scope global tells, but for the customers whom it affects."""
    entries = tuple(entry for entry in spec.entries if not entry.affected)
    last = max([spec.resolve_after, *(entry.after for entry in spec.entries)])
    told = WholeReading(replace(spec, entries=entries, resolve_after=last), lateness).read(events, until)
    index = [index for index, entry in enumerate(spec.entries) if not entry.affected]
    return in_order(each._replace(due=tuple(index[due] for due in each.due)) for each in told)


class WholeReading(Reading):
    """Its events act in order of time, once the clock is later."""

    def __init__(self, spec: Spec, lateness: int = 0) -> None:
        super().__init__(spec, lateness)
        self.waiting: list[tuple[int, int, Key, set[str], Event]] = []
        self.number = 0

    def meet(self, event: Event) -> None:
        self.number += 1
        self.waiting += [
            (event.at, self.number, key, roles, event) for key, roles in self.roles(event).items()
        ]

    def move(self, to: int) -> None:
        to = to if self.clock is None else max(self.clock, to)
        for each in sorted(self.waiting, key=lambda each: each[:2]):
            at, _, key, roles, event = each
            if at < to:
                self.waiting.remove(each)
                super().move(at)
                self.story(None, key).meet(event, roles, self.clock)
        super().move(to)


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
                    and spec.condition.concerns(event.data)
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
