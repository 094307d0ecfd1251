"""`match`: fires on each matching event. Momentary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from rule_engine.state import NEVER

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
