"""`forecast`: when the least-squares line through (time, `of`) of a window's events will reach a limit.

A tally is [begin of its slot, events, mean time, mean value, sum of squares of times, sum of products of times and values, last
event]; times are seconds from the begin of the slot, sums are of what differs from the means, and add up by the formulas of
T. F. Chan, G. H. Golub, R. J. LeVeque ("Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979), so
that neither the years since the epoch nor large values cost digits. The last event is [time, id, value, limit].
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rule_engine.conditions.hopping import SLOTS, TALLY, HoppingStrategy, Slot
from rule_engine.conditions.measures import number_of

if TYPE_CHECKING:
    from rule_engine.plan import Occurrence, Plan
    from rule_engine.rules.model import Forecast
    from rule_engine.state import KeyState

BEGIN, EVENTS, TIME, VALUE, SQUARES, PRODUCTS, LAST = range(7)
SECOND_US = 1_000_000


class ForecastStrategy(HoppingStrategy):
    def __init__(self, condition: Forecast) -> None:
        super().__init__(condition)
        self.of = condition.of
        self.limit = condition.limit
        self.sign = 1 if condition.rises else -1
        self.in_s = condition.in_us / SECOND_US
        self.min_events = condition.min_events

    def tally(self, plan: Plan, seen: Occurrence) -> tuple[Any, bool] | None:
        value = number_of(self.of, plan, seen)
        limit = None if value is None else number_of(self.limit, plan, seen)
        if value is None or limit is None:
            return None
        begin_us = seen.time_us // self.every_us * self.every_us
        at_s = (seen.time_us - begin_us) / SECOND_US
        return [begin_us, 1, at_s, value, 0.0, 0.0, [seen.time_us, seen.id, value, limit]], True

    def add_tally(self, tally: Any, more: Any) -> Any:
        shift_s = (more[BEGIN] - tally[BEGIN]) / SECOND_US
        events = tally[EVENTS] + more[EVENTS]
        apart_s = more[TIME] + shift_s - tally[TIME]
        apart = more[VALUE] - tally[VALUE]
        weight = tally[EVENTS] * more[EVENTS] / events
        return [
            tally[BEGIN], events,
            tally[TIME] + apart_s * more[EVENTS] / events,
            tally[VALUE] + apart * more[EVENTS] / events,
            tally[SQUARES] + more[SQUARES] + apart_s * apart_s * weight,
            tally[PRODUCTS] + more[PRODUCTS] + apart_s * apart * weight,
            max((each for each in (tally[LAST], more[LAST]) if each is not None), key=_moment),
        ]  # fmt: skip

    def judge(self, row: KeyState, end_us: int, window: list[Slot]) -> tuple[bool | None, float | None]:  # noqa: ARG002
        if not window:
            return None, None
        tally = window[-1][TALLY]
        for slot in reversed(window[:-1]):
            tally = self.add_tally(tally, slot[TALLY])
        left_s = self._left_s(tally, end_us)
        says = None if tally[EVENTS] < self.min_events else left_s is not None and left_s <= self.in_s
        return says, left_s

    def shrink(self, row: KeyState, end_us: int) -> None:
        """A later window's last event is in the newest slot that has ended, or in a newer one."""
        slots = row.condition[SLOTS]
        ended = sorted(number for number in slots if (number + 1) * self.every_us <= end_us)
        for number in ended[:-1]:
            slots[number][TALLY][LAST] = None

    def _left_s(self, tally: Any, end_us: int) -> float | None:
        """Seconds from the window's end until the line is there, to the microsecond; None if it never will be."""
        _, _, value, limit = tally[LAST]
        if self.sign * value >= self.sign * limit:
            return 0.0
        slope = tally[PRODUCTS] / tally[SQUARES] if tally[SQUARES] else 0.0
        if self.sign * slope <= 0:
            return None
        since_mean_s = (end_us - tally[BEGIN]) / SECOND_US - tally[TIME]
        left_s = round((limit - tally[VALUE]) / slope - since_mean_s, 6)
        return max(0.0, left_s) if math.isfinite(left_s) else None


def _moment(last: list[Any]) -> tuple[int, str]:
    return last[0], last[1]
