"""`match`: fires on each matching event. Momentary, but with `resolve_on: otherwise` true from a bad event until a good one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rule_engine.state import NEVER, PAST

if TYPE_CHECKING:
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.plan import Occurrence
    from rule_engine.state import KeyState


class MatchStrategy:
    fires_by_clock: ClassVar[bool] = False
    waits_for_clock: ClassVar[bool] = False
    fades: ClassVar[bool] = False
    of_affected: ClassVar[bool] = False

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        life.rising(row, at_us, None, [seen.id], seen)

    def due_us(self, row: KeyState) -> int:  # noqa: ARG002
        return NEVER

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        """Nothing ever falls due."""

    def holds(self, row: KeyState, at_us: int) -> bool:  # noqa: ARG002
        return False

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:  # noqa: ARG002
        return False

    def value(self, row: KeyState, at_us: int) -> Any:  # noqa: ARG002
        return None

    def evidence(self, row: KeyState, at_us: int) -> list[str]:  # noqa: ARG002
        return []


GOOD, BAD_ID = range(2)


class MatchUntilFalseStrategy(MatchStrategy):
    """True from an event whose `where` is true until one whose `where` is false, by time.

    State: [time of the last of these, PAST if none; id of the last of those].
    """

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:  # noqa: ARG002
        good_us = PAST if row.condition is None else row.condition[GOOD]
        if seen.time_us < max(good_us, row.matched_us):
            return
        row.condition = [good_us, seen.id]
        life.rising(row, at_us, None, [seen.id], seen)

    def falsified(self, row: KeyState, time_us: int) -> None:
        """An event whose `where` is false: no older one makes it true any more."""
        good_us, bad_id = row.condition or (PAST, "")
        row.condition = [max(good_us, time_us), bad_id]

    def holds(self, row: KeyState, at_us: int) -> bool:  # noqa: ARG002
        """While it waits to fire nothing has made it false, and while it waits to resolve nothing has made it true."""
        return row.alert is None

    def evidence(self, row: KeyState, at_us: int) -> list[str]:  # noqa: ARG002
        return [row.condition[BAD_ID]]
