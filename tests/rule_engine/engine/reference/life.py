"""The life of an alert: pending, firing, resolved (docs/rule-language.md, "Life of an alert")."""

from dataclasses import dataclass, field
from typing import Any

from reference.condition import Agenda, Condition
from reference.rule import Spec
from reference.told import SEVERITIES, Cause, Data, Event, Key, Told, alert_id


@dataclass
class Alert:
    id: str
    fired_at: int
    severity: str
    value: Any
    vars: Data
    evidence: tuple[str, ...]
    until: int | None
    armed_at: int | None = None
    seq: int = 0
    pending: list[tuple[int, int]] = field(default_factory=list)
    told: list[int] = field(default_factory=list)


class Life:
    """What fires for one customer and key, and what is about to. `true_since` and `false_since` are kept while they matter."""

    condition: Condition

    def __init__(self, spec: Spec, customer: str | None, key: Key) -> None:
        self.spec = spec
        self.customer = customer
        self.key = key
        self.told: list[Told] = []
        self.latest: int | None = None  # the largest time of its events and transitions
        self.alert: Alert | None = None
        self.over: list[Alert] = []  # momentary ones with entries to come
        self.true_since: int | None = None  # pending, or held back by the cooldown
        self.waited = False  # `for` is over
        self.held = False  # the cooldown holds it back
        self.false_since: int | None = None
        self.kept = False  # `keep_firing_for` is over
        self.cooled: int | None = None

    @property
    def alerts(self) -> list[Alert]:
        return ([self.alert] if self.alert else []) + self.over

    def agenda(self, clock: int | None) -> Agenda:
        """All that time will do."""
        spec, out = self.spec, self.condition.agenda(clock)
        timed = not self.condition.waits_for_clock  # else a window decides
        if timed and self.true_since is not None and self.alert is None and not self.waited:
            out.append((self.true_since + spec.wait, 4, self.waited_long_enough))
        timed = timed or self.condition.counts_as_false
        if timed and self.false_since is not None and not self.kept:
            out.append((self.false_since + spec.keep, 4, self.kept_long_enough))
        if self.cooled is not None:
            out.append((self.cooled, 4, self.cooldown_ends))
        out += [(at, 5, self.entries_due) for alert in self.alerts for at, _ in alert.pending]
        if self.alert is not None and self.alert.until is not None:
            out.append((self.alert.until, 6, self.resolve_after))
        return out

    # -- what the condition says

    def says_true(self, at: int, event: Event | None = None, previous: Data | None = None) -> None:
        """An event at the very end of `for` fires nothing: another one of the same time may end it."""
        self.recovers()
        if self.alert is not None:
            return
        if self.true_since is None:
            self.true_since = at
        window = self.condition.waits_for_clock and at >= self.true_since + self.spec.wait
        if self.waited or window or not self.spec.wait:
            self.waited = True
            self.rise(at, event, previous or {})

    def says_false(self, at: int, value: Any, cause: Cause | None = None) -> None:
        self.not_pending()
        if self.alert is None:
            return
        if self.false_since is None:
            self.false_since = at
        window = self.condition.waits_for_clock and at >= self.false_since + self.spec.keep
        if self.kept or window or not self.spec.keep:
            self.resolve(at, value, "condition" if cause is None else "event", cause)

    def recovers(self) -> None:
        """The condition is true again, or at least no longer false."""
        self.false_since, self.kept = None, False

    def waited_long_enough(self, at: int) -> None:
        self.waited = True
        if self.condition.verdict(at):
            self.rise(at, None, {})

    def kept_long_enough(self, at: int) -> None:
        self.kept = True
        if self.condition.verdict(at) is False:
            value = None if self.condition.waits_for_clock else self.condition.value(at)
            self.resolve(at, value, "condition", None)

    def cooldown_ends(self, at: int) -> None:
        self.cooled = None
        if self.held and not self.condition.waits_for_clock and self.condition.verdict(at):
            self.fire(at, None, {})
        self.held = False

    def rise(self, at: int, event: Event | None, previous: Data) -> None:
        if self.cooled is None or at >= self.cooled:
            self.fire(at, event, previous)
        elif self.spec.has_false:
            self.held = True
        else:
            self.not_pending()
            self.condition.gone()

    def not_pending(self) -> None:
        self.true_since, self.waited, self.held = None, False, False

    # -- transitions

    def fire(self, at: int, event: Event | None, previous: Data) -> None:
        spec = self.spec
        cause = self.condition.cause if event is None else event.cause
        seen, before = self.condition.last(at) if event is None else (event, previous)
        value = self.condition.value(at)
        alert = Alert(
            id=alert_id(spec.id, self.customer, self.key, at, cause),
            fired_at=at,
            severity=spec.severity,
            value=value,
            vars=spec.vars(seen.data if seen else {}, before, value, self.key),
            evidence=self.condition.evidence(at)[-10:],
            until=at + max([spec.resolve_after, *(entry.after for entry in spec.entries)]),
            armed_at=self.condition.armed_at,
            pending=[(at + entry.after, index) for index, entry in enumerate(spec.entries) if entry.after],
        )
        if spec.cooldown:
            self.cooled = at + spec.cooldown
        self.not_pending()
        due = [index for index, entry in enumerate(spec.entries) if not entry.after]
        self.tell(alert, "firing", at, due, cause=cause)
        if not spec.over_at_once:
            self.alert = alert
        else:
            alert.until = None
            self.over += [alert] if alert.pending else []
        self.condition.fired()

    def resolve(self, at: int, value: Any, how: str, cause: Cause | None) -> None:
        alert, self.alert = self.alert, None
        self.recovers()
        assert alert is not None
        told = [index for index in sorted(alert.told) if self.spec.entries[index].resolves]
        self.tell(alert, "resolved", at, told, value=value, how=how, cause=cause)

    def end(self, at: int) -> None:
        """Silently."""
        self.not_pending()
        self.recovers()
        if self.alert is not None:
            alert, self.alert = self.alert, None
            self.tell(alert, "ended", at, [])

    def resolve_after(self, at: int) -> None:
        self.end(at)
        self.condition.forget()

    def entries_due(self, at: int) -> None:
        for alert in self.alerts:
            due = sorted(index for time, index in alert.pending if time == at)
            if due:
                alert.pending = [(time, index) for time, index in alert.pending if time != at]
                self.tell(alert, "due", at, due)
        self.over = [alert for alert in self.over if alert.pending]

    def tell(
        self, alert: Alert, state: str, at: int, due: list[int], *,
        value: Any = None, how: str | None = None, cause: Cause | None = None,
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
                self.spec.over_at_once,
            )
        )  # fmt: skip
