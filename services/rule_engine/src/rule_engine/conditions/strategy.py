"""What a condition has to say about one key, and what it may ask the lifecycle of an alert to do.

A strategy keeps nothing itself: a key's state is `row.condition`, made of what msgpack can write, None when there is none.
All times are microseconds since the Unix epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from rule_engine.lifecycle import Lifecycle
    from rule_engine.plan import Occurrence
    from rule_engine.state import KeyState

EVIDENCE = 10  # ids that a transition carries at most


class Strategy(Protocol):
    fires_by_clock: ClassVar[bool]
    waits_for_clock: ClassVar[
        bool
    ]  # its windows close by the partition's clock alone, not by the key's events
    fades: ClassVar[
        bool
    ]  # while nothing fires, all that is ever due is to forget the key, and events only postpone it
    of_affected: ClassVar[bool]  # decides for customers under a global rule, not for the rule itself

    def matched(self, row: KeyState, seen: Occurrence, at_us: int, clock_us: int, life: Lifecycle) -> None:
        """A matching event came. `at_us` is its time, or the key's latest if that is later; `clock_us` the partition's."""

    def due_us(self, row: KeyState) -> int:
        """The next time at which `elapsed` has something to do; NEVER if there is none."""

    def elapsed(self, row: KeyState, at_us: int, life: Lifecycle) -> None:
        """The clock is later than `at_us`, which is what `due_us` said."""

    def holds(self, row: KeyState, at_us: int) -> bool | None:
        """Whether the condition is true at that time, None if it says nothing: asked when `for`, `keep_firing_for` or a cooldown
        is over, after `elapsed` for the same time. A momentary condition is not asked.
        """

    def ended_by(self, row: KeyState, time_us: int, reach_us: int) -> bool:
        """An event of this time ends what is due to events up to `reach_us`: forget it, and say whether there was any."""

    def value(self, row: KeyState, at_us: int) -> Any:
        """What is measured at that time: asked after `holds`."""

    def evidence(self, row: KeyState, at_us: int) -> list[str]:
        """Ids of the events that made it true, at most the last ten, by time."""


def full(row: KeyState, at_us: int, within_us: int) -> bool:
    """Whether a window that ends then is full: after an edit, what fires is judged from the first full one on."""
    if row.since_us is None:
        return True
    if at_us < row.since_us + within_us:
        return False
    row.since_us = None
    return True


def forget_all(row: KeyState, reach_us: int) -> bool:
    """Forget the key's windows if its last matching event is not younger than `reach_us`; whether there was anything."""
    if row.condition is None or row.matched_us > reach_us:
        return False
    row.condition = None
    row.kept = None
    return True
