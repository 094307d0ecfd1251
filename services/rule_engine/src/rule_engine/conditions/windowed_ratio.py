"""`ratio` with `every`: the share of events with `of` true in hopping windows [t-within, t), t every `every` since the epoch.

State: [slots, next end, last end that said something, last end that was not empty]; a slot, `every` wide and numbered from
the epoch, is [events, those with `of` true, [[time, id], …] of the last ten such, the last event as [time, id, kept]]. Slots
add up, so partitions can count apart and be merged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rule_engine.conditions.strategy import EVIDENCE, full
from rule_engine.state import NEVER, Kept

if TYPE_CHECKING:
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.rules.model import Ratio
    from rule_engine.state import KeyState

Slot = list[Any]
EVENTS, BAD, IDS, LAST = range(4)
SLOTS, NEXT_END, SAID, FILLED = range(4)


class WindowedRatioStrategy:
    fires_by_clock: ClassVar[bool] = True
    waits_for_clock: ClassVar[bool] = True
    fades: ClassVar[bool] = False
    of_affected: ClassVar[bool] = False

    def __init__(self, condition: Ratio) -> None:
        assert condition.every_us is not None
        self.of = condition.of
        self.gte = condition.gte
        self.within_us = condition.within_us
        self.every_us = condition.every_us
        self.min_events = max(1, condition.min_events)
        self.no_data_us = condition.no_data_us
        self.forget_us = condition.forget_us

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        self.merge(row, *self.slot(row.plan, seen), clock_us)

    def slot(self, plan: Plan, seen: Occurrence) -> tuple[int, Slot]:
        """The number of an event's slot, and what it counts there."""
        bad = plan.holds(self.of, seen)
        ids = [[seen.time_us, seen.id]] if bad else []
        last = [seen.time_us, seen.id, plan.keep(seen).packed() if plan.keeps else None]
        return seen.time_us // self.every_us, [1, int(bad), ids, last]

    def merge(self, row: KeyState, number: int, slot: Slot, clock_us: int) -> None:
        """Add what was counted in a slot. Windows that the clock has passed are not reopened."""
        if row.condition is None:
            row.condition = [{}, NEVER, None, None]
        slots = row.condition[SLOTS]
        known = slots.get(number)
        if known is None:
            slots[number] = slot
        else:
            add(known, slot)
        open_end = -(-clock_us // self.every_us) * self.every_us
        first_end = max((number + 1) * self.every_us, open_end)
        row.condition[NEXT_END] = min(row.condition[NEXT_END], first_end)

    def due_us(self, row: KeyState) -> int:
        _, next_end, said, filled = self._state(row)
        due: int = min(next_end, NEVER if filled is None else self._forgotten_us(filled))
        if self.no_data_us is not None and said is not None and row.alert is not None:
            due = min(due, said + self.no_data_us)
        return due

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        if at_us >= self._state(row)[NEXT_END]:
            self._close(row, at_us, life)
        slots, next_end, said, filled = self._state(row)
        if self.no_data_us is not None and said is not None and at_us >= said + self.no_data_us:
            life.falling(row, at_us, None)
        if filled is not None and at_us >= self._forgotten_us(filled):
            life.end(row, at_us)
            row.condition = [slots, next_end, None, None] if slots else None
        elif not slots and filled is None:
            row.condition = None

    def _state(self, row: KeyState) -> list[Any]:
        """After an edit nothing is missed before the first full window."""
        slots, next_end, said, filled = row.condition or ({}, NEVER, None, None)
        if row.since_us is not None:
            full_us = row.since_us + self.within_us
            said, filled = max(said or full_us, full_us), max(filled or full_us, full_us)
        return [slots, next_end, said, filled]

    def _forgotten_us(self, filled_us: int) -> int:
        """The end of the first window by which all have been empty for `forget`."""
        return -(-(filled_us + self.forget_us) // self.every_us) * self.every_us

    def holds(self, row: KeyState, at_us: int) -> bool:  # noqa: ARG002
        return False

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:
        if row.condition is None or row.matched_us > reach_us:
            return False
        # what is ahead of the clock is left, as far as slots tell
        ahead = row.condition[SLOTS] if row.matched_us > time_us else {}
        slots = {number: slot for number, slot in ahead.items() if number * self.every_us >= time_us}
        next_end = (min(slots) + 1) * self.every_us if slots else NEVER
        row.condition = [slots, next_end, None, None] if slots else None
        return True

    def value(self, row: KeyState, at_us: int) -> Any:
        events, bad = self._counts(row, at_us)
        return bad / events if events else None

    def evidence(self, row: KeyState, at_us: int) -> list[str]:
        if row.condition is None:
            return []
        slots = row.condition[SLOTS]
        seen = sorted(
            (time_us, event) for number in self._window(row, at_us) for time_us, event in slots[number][IDS]
        )
        return [event for _, event in seen][-EVIDENCE:]

    def _close(self, row: KeyState, end_us: int, life: Lifecycle) -> None:
        state = row.condition
        events, bad = self._counts(row, end_us)
        last = self._keep_last(row, end_us)
        if events:
            state[FILLED] = end_us
        if events >= self.min_events:
            state[SAID] = end_us
            share = bad / events
            if share < self.gte:
                if full(row, end_us, self.within_us):
                    life.falling(row, end_us, share)
            elif row.alert is None:
                row.kept = Kept.unpacked(last[2]) if last and last[2] else None
                life.rising(row, end_us, share, None, None)
                row.kept = None
        gone = (end_us + self.every_us - self.within_us) // self.every_us
        state[SLOTS] = left = {number: slot for number, slot in state[SLOTS].items() if number >= gone}
        # with empty windows ahead, the next end that matters is that of the next slot with something in it
        state[NEXT_END] = max(end_us + self.every_us, (min(left) + 1) * self.every_us) if left else NEVER

    def _counts(self, row: KeyState, end_us: int) -> tuple[int, int]:
        slots = row.condition[SLOTS]
        window = [slots[number] for number in self._window(row, end_us)]
        return sum(slot[EVENTS] for slot in window), sum(slot[BAD] for slot in window)

    def _keep_last(self, row: KeyState, end_us: int) -> list[Any] | None:
        """The window's last event, which is all of what it keeps that a later window may want."""
        slots = [row.condition[SLOTS][number] for number in self._window(row, end_us)]
        last = max((slot[LAST] for slot in slots if slot[LAST]), key=_moment, default=None)
        for slot in slots:
            slot[LAST] = last if slot[LAST] is last else None
        return last

    def _window(self, row: KeyState, end_us: int) -> list[int]:
        first, last = (end_us - self.within_us) // self.every_us, end_us // self.every_us
        return [number for number in row.condition[SLOTS] if first <= number < last]


def add(known: Slot, more: Slot) -> None:
    """Merge a slot into another, keeping the last ten ids and the last event by time."""
    known[EVENTS] += more[EVENTS]
    known[BAD] += more[BAD]
    known[IDS] = sorted([*known[IDS], *more[IDS]])[-EVIDENCE:]
    known[LAST] = max(known[LAST], more[LAST], key=_moment)


def _moment(last: list[Any] | None) -> tuple[int, str]:
    return (-NEVER, "") if last is None else (last[0], last[1])
