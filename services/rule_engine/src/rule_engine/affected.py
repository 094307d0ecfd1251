"""Which customers a global alert concerns: kept where their events are, told when the global alert fires and when it ends.

A verdict is what a global lane says of a global alert, on `engine.globals`: a msgpack array
[state, rule, key, alert, fired_us, seq, at_us, start_us, value, how]; `start_us` is the beginning of the window that fired.
The state is that of a transition, or "forgotten": an event of `resolve_on` came while nothing fired.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, ClassVar

from rule_engine.conditions.ratio import WindowedRatioStrategy
from rule_engine.conditions.strategy import EVIDENCE
from rule_engine.partials import key_from
from rule_engine.rules.model import HOUR_US
from rule_engine.state import NEVER, KeyState, pack, row_key, unpack

if TYPE_CHECKING:
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.machine import Machine
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.rules.model import Ratio
    from rule_engine.state import Key

SLACK_US = HOUR_US  # a global window may close so much later than this partition's clock, and still find its customers
MAX_EVENTS = 100  # a customer's newest events that count, each [time, source, id]

STATE, RULE, KEY, ALERT, FIRED, SEQ, AT, START, VALUE, HOW = range(10)


class AffectedStrategy:
    """A customer's own events under a global rule: [[time, source, id], …] by time. They fire only by a verdict."""

    fires_by_clock: ClassVar[bool] = True
    waits_for_clock: ClassVar[bool] = False
    fades: ClassVar[bool] = False
    of_affected: ClassVar[bool] = True

    def __init__(self, condition: Ratio) -> None:
        self.within_us = condition.within_us
        self.counted = WindowedRatioStrategy(condition)

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        if row.condition is None:
            row.condition = []
        place = bisect_right(row.condition, seen.time_us, key=_time)
        row.condition.insert(place, [seen.time_us, seen.source, seen.id])
        del row.condition[:-MAX_EVENTS]

    def due_us(self, row: KeyState) -> int:
        return int(row.condition[-1][0]) + self.within_us + SLACK_US if row.condition else NEVER

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        if row.condition and at_us >= self.due_us(row):
            row.condition = None

    def holds(self, row: KeyState, at_us: int) -> bool:  # noqa: ARG002
        return False

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:  # noqa: ARG002
        return False

    def value(self, row: KeyState, at_us: int) -> Any:  # noqa: ARG002
        return None

    def evidence(self, row: KeyState, at_us: int) -> list[str]:
        return [
            entry[2] for entry in (row.condition or ())[: bisect_right(row.condition or (), at_us, key=_time)]
        ]


class Affected:
    """What one partition has heard of global alerts, and its customers' part in them."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.heard: dict[tuple[str, Key], list[Any]] = {}

    def restore(self, names: list[Any], verdict: list[Any]) -> None:
        self.heard[names[0], key_from(names[1])] = verdict

    def retire(self, rules: set[str]) -> list[tuple[bytes, bytes | None]]:
        """These are gone, or have become other ones: nothing that was heard of them fires any more."""
        gone = [
            each for each, verdict in self.heard.items() if each[0] in rules and verdict[STATE] == "firing"
        ]
        for each in gone:
            self.heard[each][STATE] = "ended"
        return [(row_key("verdict", *each), pack(self.heard[each])) for each in gone]

    def saw(self, plan: Plan, customer: str, key: Key, seen: Occurrence) -> None:
        """An event that counts against the rule, of a customer of this partition."""
        row = self.machine.remember(plan, customer, key, seen)
        verdict = self.heard.get((plan.rule.id, key))
        if verdict is not None and verdict[STATE] == "firing":
            self._strike(row, verdict)
            self.machine.settle(row)

    def hear(self, value: bytes) -> list[tuple[bytes, bytes | None]]:
        """A record of `engine.globals`: its effects on customers here, and the rows that remember it."""
        verdict = unpack(value)
        rule, key = verdict[RULE], key_from(verdict[KEY])
        known = self.heard.get((rule, key))
        if known is not None and (verdict[FIRED], verdict[SEQ]) <= (known[FIRED], known[SEQ]):
            return []
        self.heard[rule, key] = verdict
        plan = self.machine.plans.get(rule)
        for row in [] if plan is None else [row for row in plan.rows.values() if row.key == key]:
            if verdict[STATE] == "firing":
                self._strike(row, verdict)
            else:
                self._release(row, verdict)
            self.machine.settle(row)
        return [(row_key("verdict", rule, key), pack(verdict))]

    def _strike(self, row: KeyState, verdict: list[Any]) -> None:
        """Fires at the global firing, or at the customer's first event after it."""
        events = row.condition or []
        since = bisect_left(events, verdict[START], key=_time)
        if row.alert is not None or since == len(events):
            return
        first_us, source, event = events[since]
        if first_us <= verdict[AT]:
            at_us, cause = verdict[AT], None
        else:
            at_us, cause = first_us, (source, event)
        evidence = [entry[2] for entry in events[since : bisect_right(events, at_us, key=_time)]]
        self.machine.life.fire(row, at_us, verdict[VALUE], evidence[-EVIDENCE:], cause, None)

    def _release(self, row: KeyState, verdict: list[Any]) -> None:
        if row.condition and verdict[HOW] != "condition":  # the global rule forgot them as well
            row.condition = row.condition[bisect_left(row.condition, verdict[AT], key=_time) :] or None
        if row.alert is None:
            return
        at_us = max(verdict[AT], row.alert.fired_us)
        if verdict[STATE] != "ended":
            self.machine.life.resolve(row, at_us, verdict[VALUE], verdict[HOW], None)
        else:
            self.machine.life.end(row, at_us)


def _time(entry: list[Any]) -> int:
    return int(entry[0])
