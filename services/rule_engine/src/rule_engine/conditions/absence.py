"""`absence`: fires when it is due, if the expected event did not come.

State: [armed, due, id]: the time of the event that armed the key, when it is due (NEVER once it was, while `for` or a
cooldown holds the firing back), and that event's id.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from contracts.times import to_micros
from rule_engine.expressions import EvaluationError, Expression
from rule_engine.state import NEVER

if TYPE_CHECKING:
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.plan import Occurrence
    from rule_engine.rules.model import Absence
    from rule_engine.state import KeyState

ARMED, DUE, ID = range(3)


class AbsenceStrategy:
    fires_by_clock: ClassVar[bool] = True
    waits_for_clock: ClassVar[bool] = False
    fades: ClassVar[bool] = False
    of_affected: ClassVar[bool] = False

    def __init__(self, condition: Absence, lookback_us: int) -> None:
        self.condition = condition
        self.lookback_us = lookback_us

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        memory = row.memory
        time_us = seen.time_us
        if memory is not None and memory.unanswered and time_us <= memory.time_us + self.lookback_us:
            memory.unanswered = False
            return
        state = row.condition
        if state is not None and (time_us < state[ARMED] or not self.condition.rearm):
            return
        due_us = self._due(row, seen)
        if due_us is None:
            return
        row.held = None
        row.condition = [time_us, max(due_us, at_us), seen.id]

    def due_us(self, row: KeyState) -> int:
        return NEVER if row.condition is None else int(row.condition[DUE])

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        state = row.condition
        if state is None:
            return
        if at_us >= state[DUE]:
            state[DUE] = NEVER
            if row.alert is None:
                life.rising(row, at_us, None, None, None)
        if state[DUE] == NEVER and row.alert is not None:
            # a new due time joins what fires already
            row.alert.armed_us = max(row.alert.armed_us or state[ARMED], state[ARMED])
            row.condition = None

    def holds(self, row: KeyState, at_us: int) -> bool:  # noqa: ARG002
        return row.condition is not None

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:  # noqa: ARG002
        if row.condition is None or row.condition[ARMED] > reach_us:
            return False
        row.condition = None
        return True

    def value(self, row: KeyState, at_us: int) -> Any:  # noqa: ARG002
        return None

    def evidence(self, row: KeyState, at_us: int) -> list[str]:  # noqa: ARG002
        return [] if row.condition is None else [row.condition[ID]]

    def _due(self, row: KeyState, seen: Occurrence) -> int | None:
        """When the expected event is due; None if an expression fails or gives no time: the event takes no part."""
        condition = self.condition
        if isinstance(condition.within, int):
            return seen.time_us + condition.within + condition.grace_us
        source: Expression | None = condition.within if condition.deadline is None else condition.deadline
        assert source is not None
        try:
            value = source.evaluate(*seen.arguments)
        except EvaluationError:
            value = None
        if condition.deadline is None and isinstance(value, timedelta):
            return seen.time_us + max(0, value // timedelta(microseconds=1)) + condition.grace_us
        if condition.deadline is not None and isinstance(value, datetime):
            return max(to_micros(value) + condition.grace_us, seen.time_us)
        row.plan.counters.expression_errors[row.plan.rule.id] += 1
        return None
