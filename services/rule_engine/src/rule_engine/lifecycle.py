"""The life of an alert: firing, due, resolved, ended (docs/rule-language.md, "Life of an alert").

All times are microseconds since the Unix epoch. Nothing here knows where transitions go.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from contracts import alerts
from contracts.times import format_micros, format_time, from_micros
from rule_engine.expressions import EvaluationError
from rule_engine.state import NEVER, PAST, Alert, Cause, Held, KeyState

if TYPE_CHECKING:
    from contracts.alerts import NotifyEntry, State
    from rule_engine.counters import Counters
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.state import Key

NAMESPACE = uuid.UUID("3111a6fe-024e-5562-9822-f6ebd6a62740")
MAX_VARS_BYTES = 100_000
SEVERITIES: dict[Any, int] = {"info": 0, "warning": 1, "critical": 2}
_compact = msgspec.json.Encoder().encode


def alert_id(rule: str, customer: str | None, key: Key, fired_us: int, cause: Cause | None) -> str:
    """UUIDv5 over what makes an alert the one it is: the same input gives the same id on any machine."""
    source, event = cause or (None, None)
    name = _compact([rule, customer, key, format_micros(fired_us), source, event])
    return str(uuid.uuid5(NAMESPACE, name.decode()))


class Lifecycle:
    """Moves alerts on and collects their transitions, in order, in `out`."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.out: list[alerts.Transition] = []

    def rising(
        self, row: KeyState, at_us: int, value: Any, evidence: list[str] | None, seen: Occurrence | None
    ) -> None:
        """The condition is true at `at_us`, by an event, or by the clock (`seen` None). Fires unless something holds it back.

        To be told each time that this is found, whether or not it was known. `evidence` None: ask the condition.
        """
        if row.alert is not None:
            row.alert.falls_us = NEVER
            return
        if self._waits(row, at_us, value, evidence, at_us if seen is None else seen.time_us):
            return
        cause = None if seen is None else (seen.source, seen.id)
        if evidence is None:
            evidence = row.plan.condition.evidence(row, at_us)
        arguments = None if seen is None else seen.arguments
        self.fire(row, at_us, value, evidence, cause, arguments)

    def fire(
        self, row: KeyState, at_us: int, value: Any, evidence: list[str], cause: Cause | None, arguments: Any
    ) -> None:
        plan = row.plan
        rule = plan.rule
        row.held = None
        alert = Alert(
            id=alert_id(rule.id, row.customer, row.key, at_us, cause), seq=0, fired_us=at_us, armed_us=None,
            severity=rule.severity, value=value, vars=self._vars(row, at_us, value, arguments), evidence=evidence,
            cause=cause, pending=[], told=[], until_us=NEVER,
        )  # fmt: skip
        due = [index for index, each in plan.notify if each.after_us == 0]
        alert.pending = [(at_us + each.after_us, index) for index, each in plan.notify if each.after_us]
        self._tell(plan, row, alert, "firing", at_us, due)
        self.counters.fired[rule.id] += 1
        row.cooled_us = at_us + rule.cooldown_us if rule.cooldown_us else row.cooled_us
        if rule.over_at_once:
            if alert.pending:
                row.trailing = (*row.trailing, alert)
        else:
            alert.until_us = at_us + rule.resolve_after_us
            row.alert = alert

    def falling(self, row: KeyState, at_us: int, value: Any) -> None:
        """The condition is false at `at_us`. To be told each time that this is found, as `rising`."""
        row.held = None
        alert, plan = row.alert, row.plan
        if alert is None:
            return
        keep_us = plan.rule.keep_firing_for_us
        if keep_us and alert.falls_us == NEVER:
            alert.falls_us = at_us + keep_us
        elif not keep_us or (alert.falls_us <= at_us if plan.waits_for_clock else alert.falls_us < at_us):
            self.resolve(row, at_us, value, "condition", None)

    def waited(self, row: KeyState, at_us: int) -> bool:
        """`for`, `keep_firing_for` and cooldowns that are over then. Whether that fired an alert."""
        plan, held, alert = row.plan, row.held, row.alert
        rule = plan.rule
        cooled = PAST < row.cooled_us <= at_us
        if cooled:
            row.cooled_us = PAST
        if held is not None and held.over_us <= at_us and (cooled or held.over_us != PAST):
            held.over_us = PAST
            if row.cooled_us == PAST:
                return self._ripe(row, held, at_us)
            if rule.momentary:
                row.held = None
        elif alert is not None and PAST < alert.falls_us <= at_us:
            alert.falls_us = PAST
            if plan.condition.holds(row, at_us) is False:
                self.resolve(row, at_us, plan.condition.value(row, at_us), "condition", None)
        return False

    @staticmethod
    def _waits(row: KeyState, at_us: int, value: Any, evidence: list[str] | None, true_us: int) -> bool:
        """Whether `for` or a cooldown holds it back.

        An event at the very time at which `for` is over comes before that; a window that ends then has the last word.
        """
        plan, held = row.plan, row.held
        rule = plan.rule
        if held is None:
            if not rule.for_us and (rule.momentary or at_us >= row.cooled_us):
                return at_us < row.cooled_us
            held = row.held = Held(at_us + rule.for_us if rule.for_us else PAST)
        if rule.momentary and true_us >= held.true_us:
            held.value, held.evidence, held.true_us = value, evidence, true_us
        over = held.over_us <= at_us if plan.waits_for_clock else held.over_us < at_us
        return not over or at_us < row.cooled_us

    def _ripe(self, row: KeyState, held: Held, at_us: int) -> bool:
        """Nothing holds it back any more: it fires if it is still true. Where the condition says nothing, `for` goes on."""
        plan = row.plan
        if plan.rule.momentary:
            self.fire(row, at_us, held.value, held.evidence or [], None, None)
        elif plan.condition.holds(row, at_us):
            evidence = plan.condition.evidence(row, at_us)
            self.fire(row, at_us, plan.condition.value(row, at_us), evidence, None, None)
        elif not plan.rule.for_us:
            row.held = None
        return row.alert is not None

    def resolve(
        self, row: KeyState, at_us: int, value: Any, how: Literal["condition", "event"], cause: Cause | None
    ) -> None:
        alert = row.alert
        assert alert is not None
        row.alert = row.since_us = None
        told = [index for index in alert.told if row.plan.rule.notify[index].entry.resolves]
        self.counters.resolved[row.plan.rule.id] += 1
        self._emit(row.plan, row, alert, "resolved", at_us, told, value=value, how=how, cause=cause)

    def end(self, row: KeyState, at_us: int) -> None:
        """A silent end: tells nobody, and closes the alert for every reader."""
        row.held = None
        row.trailing = ()
        if row.alert is not None:
            alert, row.alert, row.since_us = row.alert, None, None
            self._emit(row.plan, row, alert, "ended", at_us, [], value=alert.value)

    def edited(self, row: KeyState, now_us: int) -> None:
        """The alerts go on under a new version of their rule: its entries, but for those that were due."""
        plan = row.plan
        if row.alert is not None and plan.rule.over_at_once:
            self.end(row, max(row.latest_us, now_us))
        for alert in self._alive(row):
            alert.told = [index for index in alert.told if index < len(plan.rule.notify)]
            alert.pending = []
            for index, each in plan.notify:
                due_us = alert.fired_us + each.after_us
                told = index in alert.told
                if each.every_us is not None and (told or due_us < now_us):
                    due_us += max(int(told), -((due_us - now_us) // each.every_us)) * each.every_us
                elif told or due_us < now_us:
                    continue
                alert.pending.append((due_us, index))
        row.trailing = tuple(alert for alert in row.trailing if alert.pending)

    def due_us(self, row: KeyState) -> int:
        """The next time at which a wait is over, an entry of `notify` comes due or an alert ends by `resolve_after`."""
        due = NEVER
        if row.held is not None and row.held.over_us != PAST:
            due = row.held.over_us
        elif row.alert is not None:
            due = row.alert.until_us
            if row.alert.falls_us != PAST:
                due = min(due, row.alert.falls_us)
        for alert in self._alive(row):
            for at_us, _ in alert.pending:
                due = min(due, at_us)
        return due

    def elapsed(self, row: KeyState, at_us: int) -> bool:
        """The clock is later than `at_us`. Whether the alert ended by `resolve_after`, so that the key is to be forgotten."""
        for alert in self._alive(row):
            due = sorted(index for time_us, index in alert.pending if time_us <= at_us)
            if due:
                alert.pending = [(time_us, index) for time_us, index in alert.pending if time_us > at_us]
                self._tell(row.plan, row, alert, "due", at_us, due)
        row.trailing = tuple(alert for alert in row.trailing if alert.pending)
        if row.alert is not None and row.alert.until_us <= at_us:
            self.end(row, at_us)
            return True
        return False

    @staticmethod
    def _alive(row: KeyState) -> tuple[Alert, ...]:
        return row.trailing if row.alert is None else (row.alert, *row.trailing)

    def _tell(
        self, plan: Plan, row: KeyState, alert: Alert, state: State, at_us: int, due: list[int]
    ) -> None:
        notify = plan.rule.notify
        for index in due:
            entry = notify[index]
            if SEVERITIES.get(entry.entry.severity, -1) > SEVERITIES[alert.severity]:
                alert.severity = entry.entry.severity
            if index not in alert.told:
                alert.told.append(index)
            if entry.every_us is not None:
                alert.pending.append((at_us + entry.every_us, index))
        cause = alert.cause if state == "firing" else None
        self._emit(plan, row, alert, state, at_us, due, value=alert.value, cause=cause)

    def _emit(
        self, plan: Plan, row: KeyState, alert: Alert, state: State, at_us: int, entries: list[int], *,
        value: Any = None, how: Literal["condition", "event"] | None = None, cause: Cause | None = None,
    ) -> None:  # fmt: skip
        rule = plan.rule
        row.latest_us = max(row.latest_us, at_us)
        alert.seq += 1
        due: tuple[NotifyEntry, ...] = tuple(rule.notify[index].entry for index in sorted(entries))
        self.out.append(
            alerts.Transition(
                alert=alert.id, seq=alert.seq, rule=rule.id, version=rule.version, state=state, at=from_micros(at_us),
                fired_at=from_micros(alert.fired_us), key=list(row.key) if isinstance(row.key, tuple) else row.key,
                severity=alert.severity, words=rule.words, customer=row.customer, value=value, vars=alert.vars,
                evidence=alert.evidence, notify=due, momentary=rule.over_at_once,
                cause=None if cause is None else alerts.Cause(source=cause[0], id=cause[1]), how=how,
            )
        )  # fmt: skip

    def _vars(self, row: KeyState, at_us: int, value: Any, arguments: Any) -> dict[str, Any]:
        plan = row.plan
        if not plan.rule.vars:
            return {}
        if arguments is None:
            kept, now = row.kept, from_micros(at_us)
            arguments = (
                ({}, {}, {}, now, {})
                if kept is None
                else (kept.event, kept.data, kept.customer, now, kept.previous)
            )
        key = list(row.key) if isinstance(row.key, tuple) else row.key
        found: dict[str, Any] = {}
        for name, expression in plan.rule.vars:
            try:
                found[name] = _json(expression.evaluate(*arguments, value, key))
            except EvaluationError:
                self.counters.expression_errors[plan.rule.id] += 1
                found[name] = None
        if len(_compact(found)) > MAX_VARS_BYTES:
            self.counters.expression_errors[plan.rule.id] += 1
            return dict.fromkeys(found)
        return found


def _json(value: Any) -> Any:
    """A value of the expression language as JSON has it: times as RFC 3339, durations in seconds."""
    if isinstance(value, dict):
        return {str(name): _json(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_json(each) for each in value]
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return format_time(value)
    return value
