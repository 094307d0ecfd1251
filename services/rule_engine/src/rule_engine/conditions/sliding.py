"""Windows (t-within, t] that slide with a key's events: true or false at an event, false also when one ages out.

State: [[time, counted, id], …] by time, at most 10,000, the newest; what is counted of an event is the condition's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from rule_engine.conditions.strategy import EVIDENCE, forget_all, full
from rule_engine.state import NEVER

if TYPE_CHECKING:
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.state import KeyState

MAX_EVENTS = 10_000
Entry = list[Any]
TIME, COUNTED, ID = range(3)


class Sliding(Protocol):
    """A condition whose windows slide."""

    @property
    def within_us(self) -> int: ...


class SlidingStrategy(ABC):
    fires_by_clock: ClassVar[bool] = False
    waits_for_clock: ClassVar[bool] = False
    fades: ClassVar[bool] = False
    of_affected: ClassVar[bool] = False

    def __init__(self, condition: Sliding) -> None:
        self.within_us = condition.within_us

    @abstractmethod
    def counted(self, plan: Plan, seen: Occurrence) -> Any:
        """What is counted of an event; None if it is not."""

    @abstractmethod
    def judge(self, window: list[Entry]) -> tuple[bool | None, Any]:
        """Whether the window is true, None if it says nothing; and what was measured."""

    def is_evidence(self, entry: Entry) -> bool:  # noqa: ARG002
        return True

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        counted = self.counted(row.plan, seen)
        if counted is None:
            return
        if row.condition is None:
            row.condition = []
        window = row.condition
        window.insert(bisect_right(window, seen.time_us, key=_time), [seen.time_us, counted, seen.id])
        self._age(row, at_us)
        del window[:-MAX_EVENTS]
        true, value = self.judge(window)
        if true:
            life.rising(row, at_us, value, None, seen)
        elif true is False and full(row, at_us, self.within_us):
            life.falling(row, at_us, value)

    def due_us(self, row: KeyState) -> int:
        full_us = NEVER if row.since_us is None else row.since_us + self.within_us
        return full_us if not row.condition else min(full_us, int(row.condition[0][TIME]) + self.within_us)

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        if at_us < self.due_us(row):
            return
        self._age(row, at_us)
        true, value = self.judge(row.condition or [])
        if full(row, at_us, self.within_us) and true is False:
            life.falling(row, at_us, value)
        elif true and row.alert is not None:
            life.rising(row, at_us, value, None, None)
        if not row.condition:
            row.condition = None

    def holds(self, row: KeyState, at_us: int) -> bool | None:
        self._age(row, at_us)
        return self.judge(row.condition or [])[0]

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:  # noqa: ARG002
        return forget_all(row, reach_us)

    def value(self, row: KeyState, at_us: int) -> Any:  # noqa: ARG002
        return self.judge(row.condition or [])[1]

    def evidence(self, row: KeyState, at_us: int) -> list[str]:  # noqa: ARG002
        return [entry[ID] for entry in row.condition or () if self.is_evidence(entry)][-EVIDENCE:]

    def _age(self, row: KeyState, at_us: int) -> None:
        if row.condition:
            del row.condition[: bisect_right(row.condition, at_us - self.within_us, key=_time)]


def _time(entry: Entry) -> int:
    return int(entry[TIME])
