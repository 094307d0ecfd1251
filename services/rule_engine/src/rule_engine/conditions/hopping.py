"""Hopping windows [t-within, t), t every `every` since the Unix epoch: what all conditions over them have in common.

State: [slots, next end, last end that said something, last end that was not empty]; a slot, `every` wide and numbered from
the epoch, is [events, tally, [[time, id], …] of the last ten that are evidence, the last event as [time, id, kept]]. Slots add
up, so partitions can count apart and be merged. What a tally holds, how two add up and what a window's say is the condition's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from rule_engine.conditions.strategy import EVIDENCE, full
from rule_engine.state import NEVER, PAST, Kept

if TYPE_CHECKING:
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.state import KeyState

Slot = list[Any]
EVENTS, TALLY, IDS, LAST = range(4)
SLOTS, NEXT_END, SAID, FILLED = range(4)


class Windowed(Protocol):
    """A condition whose windows hop."""

    @property
    def within_us(self) -> int: ...
    @property
    def every_us(self) -> int | None: ...
    @property
    def no_data_us(self) -> int | None: ...
    @property
    def forget_us(self) -> int: ...


class HoppingStrategy(ABC):
    """`reach_us`: how far before its end a window looks. `judges_empty`: an empty window may be true or false; `judges_unseen`:
    also if the key had no event since the rule was edited.
    """

    fires_by_clock: ClassVar[bool] = True
    waits_for_clock: ClassVar[bool] = True
    fades: ClassVar[bool] = False
    of_affected: ClassVar[bool] = False

    def __init__(
        self, condition: Windowed, *, reach_us: int | None = None, judges_empty: bool = False, judges_unseen: bool = False,
    ) -> None:  # fmt: skip
        assert condition.every_us is not None
        self.within_us = condition.within_us
        self.every_us = condition.every_us
        self.no_data_us = condition.no_data_us
        self.forget_us = condition.forget_us
        self.reach_us = condition.within_us if reach_us is None else reach_us
        self.judges_empty = judges_empty
        self.judges_unseen = judges_unseen

    @abstractmethod
    def tally(self, plan: Plan, seen: Occurrence) -> tuple[Any, bool] | None:
        """What an event adds to its slot, and whether it is evidence; None if it is not counted."""

    @abstractmethod
    def add_tally(self, tally: Any, more: Any) -> Any:
        """Two tallies as one; the first may be changed."""

    @abstractmethod
    def judge(self, row: KeyState, end_us: int, window: list[Slot]) -> tuple[bool | None, Any]:
        """Whether the window that ends then is true, None if it says nothing; and what was measured."""

    def shrink(self, row: KeyState, end_us: int) -> None:  # noqa: B027 - most have nothing to do
        """A window has ended: make less of what only later ones need."""

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        counted = self.slot(row.plan, seen)
        if counted is not None:
            self.merge(row, *counted, clock_us)

    def slot(self, plan: Plan, seen: Occurrence) -> tuple[int, Slot] | None:
        """The number of an event's slot, and what it counts there; None if it is not counted."""
        counted = self.tally(plan, seen)
        if counted is None:
            return None
        tally, is_evidence = counted
        ids = [[seen.time_us, seen.id]] if is_evidence else []
        last = [seen.time_us, seen.id, plan.keep(seen).packed() if plan.keeps else None]
        return seen.time_us // self.every_us, [1, tally, ids, last]

    def add(self, known: Slot, more: Slot) -> None:
        """Merge a slot into another, keeping the last ten ids and the last event by time."""
        known[EVENTS] += more[EVENTS]
        known[TALLY] = self.add_tally(known[TALLY], more[TALLY])
        known[IDS] = sorted([*known[IDS], *more[IDS]])[-EVIDENCE:]
        known[LAST] = max(known[LAST], more[LAST], key=_moment)

    def merge(self, row: KeyState, number: int, slot: Slot, clock_us: int) -> None:
        """Add what was counted in a slot, unless all windows that look at it have ended: those are not reopened."""
        if number * self.every_us + self.reach_us >= clock_us:
            self.put(row, number, slot, clock_us)

    def put(self, row: KeyState, number: int, slot: Slot, clock_us: int) -> None:
        if row.condition is None:
            row.condition = [{}, NEVER, None, None]
        slots = row.condition[SLOTS]
        known = slots.get(number)
        if known is None:
            slots[number] = slot
        else:
            self.add(known, slot)
        open_end = -(-clock_us // self.every_us) * self.every_us
        first_end = max((number + 1) * self.every_us, open_end)
        row.condition[NEXT_END] = min(row.condition[NEXT_END], first_end)

    def due_us(self, row: KeyState) -> int:
        _, next_end, said, filled = self._state(row)
        due: int = min(next_end, NEVER if filled is None else self._forgotten_us(filled))
        if (
            self.no_data_us is not None
            and said is not None
            and (row.alert is not None or row.held is not None)
        ):
            due = min(due, said + self.no_data_us)
        return due

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        if at_us >= self._state(row)[NEXT_END]:
            self._close(row, at_us, life)
        slots, _, said, filled = self._state(row)
        if self.no_data_us is not None and said is not None and at_us >= said + self.no_data_us:
            row.since_us = None
            if row.condition is not None:
                row.condition[SAID] = None
            life.falling(row, at_us, None)
        if filled is not None and at_us >= self._forgotten_us(filled):
            life.end(row, at_us)
            self.forget_before(row, at_us)
        elif not slots and filled is None:
            row.condition = None

    def holds(self, row: KeyState, at_us: int) -> bool | None:  # noqa: ARG002
        """Windows speak when they end. Between two of them there is at most the silence that counts as false."""
        return None if self._state(row)[SAID] is not None else False

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:
        if row.condition is None or row.matched_us > reach_us:
            return False
        # what is ahead of the clock is left, as far as slots tell
        self.forget_before(row, time_us if row.matched_us > time_us else NEVER)
        return True

    def value(self, row: KeyState, at_us: int) -> Any:  # noqa: ARG002
        return None

    def evidence(self, row: KeyState, at_us: int) -> list[str]:
        seen = sorted((time_us, event) for slot in self.window(row, at_us) for time_us, event in slot[IDS])
        return [event for _, event in seen][-EVIDENCE:]

    def window(self, row: KeyState, end_us: int, within_us: int | None = None) -> list[Slot]:
        """The slots of [end - within, end), in order of time."""
        if row.condition is None:
            return []
        slots = row.condition[SLOTS]
        first, last = (end_us - (within_us or self.within_us)) // self.every_us, end_us // self.every_us
        if last - first < len(slots):
            return [slots[number] for number in range(first, last) if number in slots]
        return [slots[number] for number in sorted(slots) if first <= number < last]

    def _state(self, row: KeyState) -> list[Any]:
        """After an edit nothing is missed before the first full window."""
        state: list[Any] = row.condition or [{}, NEVER, None, None]
        slots, next_end, said, filled = state[: FILLED + 1]
        if row.since_us is not None:
            full_us = row.since_us + self.reach_us
            if self.judges_unseen and (said or PAST) < full_us:
                next_end = min(next_end, -(-full_us // self.every_us) * self.every_us)
            said, filled = max(said or full_us, full_us), max(filled or full_us, full_us)
        return [slots, next_end, said, filled]

    def _forgotten_us(self, filled_us: int) -> int:
        """The end of the first window by which all have been empty for `forget`."""
        return -(-(filled_us + self.forget_us) // self.every_us) * self.every_us

    def forget_before(self, row: KeyState, time_us: int) -> None:
        """All but what lies ahead of that time, as far as slots tell."""
        known = {} if row.condition is None else row.condition[SLOTS]
        slots = {number: slot for number, slot in known.items() if number * self.every_us >= time_us}
        row.condition = [slots, (min(slots) + 1) * self.every_us, None, None] if slots else None
        row.kept = None

    def _close(self, row: KeyState, end_us: int, life: Lifecycle) -> None:
        if row.condition is None:
            row.condition = [{}, NEVER, None, None]
        state = row.condition
        window = self.window(row, end_us)
        last = _thin(window)
        if window:
            state[FILLED] = end_us
            row.kept = Kept.unpacked(last[2]) if last and last[2] else None
        true, value = self.judge(row, end_us, window)
        if true is not None:
            state[SAID] = end_us
            if not true:
                if full(row, end_us, self.reach_us):
                    life.falling(row, end_us, value)
            else:
                life.rising(row, end_us, value, None, None)
        if not self.judges_empty:
            row.kept = None
        gone = (end_us + self.every_us - self.reach_us) // self.every_us
        state[SLOTS] = left = {number: slot for number, slot in state[SLOTS].items() if number >= gone}
        state[NEXT_END] = self._next_end(row, end_us, left, empty=not window)
        self.shrink(row, end_us)

    def _next_end(self, row: KeyState, end_us: int, left: dict[int, Slot], *, empty: bool) -> int:
        """With empty windows ahead, the next end that matters is that of the next slot with something in it."""
        following = end_us + self.every_us
        waits = row.held is not None or (row.alert is not None and row.alert.falls_us != NEVER)
        if self.judges_empty and (not empty or waits):
            return following
        return max(following, (min(left) + 1) * self.every_us) if left else NEVER


def _thin(window: list[Slot]) -> list[Any] | None:
    """The window's last event; of what its slots keep, that and the last ids are all that a later window may want."""
    last = max((slot[LAST] for slot in window if slot[LAST]), key=_moment, default=None)
    ids = sorted(each for slot in window for each in slot[IDS])[-EVIDENCE:]
    for slot in window:
        slot[LAST] = last if slot[LAST] is last else None
        slot[IDS] = [each for each in slot[IDS] if each >= ids[0]]
    return last


def _moment(last: list[Any] | None) -> tuple[int, str]:
    return (PAST, "") if last is None else (last[0], last[1])
