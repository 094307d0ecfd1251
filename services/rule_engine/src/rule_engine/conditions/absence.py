"""`absence`: fires when it is due, if the expected event did not come.

State: [armed, due, id]: the time of the event that armed the key, when it is due (NEVER once it was, while `for` or a
cooldown holds the firing back), and that event's id. Where its clock can be stopped also [turned, left]: the time of the event
that last made it run or stand, and what is left of the wait while it stands, else None.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from contracts.times import to_micros
from rule_engine.expressions import EvaluationError, Expression
from rule_engine.intervals import IntervalError
from rule_engine.rules.model import DAY_US
from rule_engine.state import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from rule_engine.intervals.days import WorkingDays
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.plan import Occurrence
    from rule_engine.rules.model import Absence
    from rule_engine.state import KeyState

ARMED, DUE, ID, TURNED, LEFT = range(5)
STANDS_US = 365 * DAY_US  # so long a clock that stands is remembered


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
        row.condition = self._armed(time_us, max(due_us, at_us), seen.id)

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

    def _armed(self, armed_us: int, due_us: int, event: str) -> list[Any]:
        return [armed_us, due_us, event]

    def _due(self, row: KeyState, seen: Occurrence) -> int | None:
        """When the expected event is due; None if there is no answer."""
        within, deadline = self.condition.within, self.condition.deadline
        if isinstance(within, int) and self.condition.time_interval is None:
            return seen.time_us + within
        if deadline is not None:
            grace = self.condition.grace
            due_us = self._answer(row, lambda: self._later(seen, _time(deadline, seen), grace))
            return None if due_us is None else max(due_us, seen.time_us)
        if isinstance(within, Expression):
            return self._answer(row, lambda: self._later(seen, seen.time_us, _span(within, seen)))
        assert within is not None
        return self._answer(row, lambda: self._later(seen, seen.time_us, within))

    @staticmethod
    def _answer(row: KeyState, ask: Callable[[], int]) -> int | None:
        """None if an expression or an interval has no answer: the event takes no part."""
        try:
            return ask()
        except (EvaluationError, IntervalError):
            row.plan.counters.expression_errors[row.plan.rule.id] += 1
            return None

    def _later(self, seen: Occurrence, start_us: int, span: int | WorkingDays) -> int:
        interval = self.condition.time_interval
        if interval is not None:
            return interval.later(start_us, span, seen.zone)
        assert isinstance(span, int)
        return start_us + span


class PausableAbsenceStrategy(AbsenceStrategy):
    """Its clock stands from an event of `pause_on` until one of `resume_on`, by time: an older one changes nothing."""

    def due_us(self, row: KeyState) -> int:
        state = row.condition
        if state is not None and state[LEFT] is not None:
            return int(state[TURNED]) + STANDS_US
        return super().due_us(row)

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        state = row.condition
        if state is None or state[LEFT] is None:
            super().elapsed(row, at_us, life)
        elif at_us >= self.due_us(row):
            row.condition = None

    def paused(self, row: KeyState, seen: Occurrence) -> None:
        state = row.condition
        if state is None or state[DUE] == NEVER or seen.time_us < state[TURNED]:
            return
        left_us = self._answer(row, lambda: self._between(seen, state[DUE]))
        if left_us is not None:
            state[DUE:] = [NEVER, state[ID], seen.time_us, left_us]

    def resumed(self, row: KeyState, seen: Occurrence, at_us: int) -> None:
        state = row.condition
        if state is None or state[LEFT] is None or seen.time_us < state[TURNED]:
            return
        due_us = self._answer(row, lambda: self._later(seen, seen.time_us, state[LEFT]))
        if due_us is not None:
            state[DUE:] = [max(due_us, at_us), state[ID], seen.time_us, None]

    def _between(self, seen: Occurrence, due_us: int) -> int:
        interval = self.condition.time_interval
        if interval is not None:
            return interval.between(seen.time_us, due_us, seen.zone)
        return max(0, due_us - seen.time_us)

    def _armed(self, armed_us: int, due_us: int, event: str) -> list[Any]:
        return [armed_us, due_us, event, armed_us, None]


def _time(expression: Expression, seen: Occurrence) -> int:
    value = expression.evaluate(*seen.arguments)
    if not isinstance(value, datetime):
        raise EvaluationError("a deadline is a time")
    return to_micros(value)


def _span(expression: Expression, seen: Occurrence) -> int:
    value = expression.evaluate(*seen.arguments)
    if not isinstance(value, timedelta):
        raise EvaluationError("`within` is a duration")
    return max(0, value // timedelta(microseconds=1))
