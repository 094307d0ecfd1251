"""What time it is in a partition (docs/rule-language.md, "Time and order"). All times in microseconds since the Unix epoch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class EventClock:
    """The largest event time seen, less the allowed lateness, and never past the time at which the broker stored it.

    `now_us` is None before the first event. `delay_us` is how long the event that last moved the clock was on its way
    into Kafka.
    """

    allowed_lateness_us: int = 0
    now_us: int | None = None
    delay_us: int = 0

    def saw(self, time_us: int, stored_us: int | None) -> bool:
        """Whether the event moved the clock. `stored_us` None: no broker, as in tests and backtests."""
        reached = time_us if stored_us is None or time_us <= stored_us else stored_us
        reached -= self.allowed_lateness_us
        if self.now_us is not None and reached <= self.now_us:
            return False
        self.now_us = reached
        self.delay_us = 0 if stored_us is None else max(0, stored_us - time_us)
        return True

    def advance(self, to_us: int) -> bool:
        """Move on without an event, never back. A clock that no event ever started stands still."""
        if self.now_us is None or to_us <= self.now_us:
            return False
        self.now_us = to_us
        return True


@dataclass(slots=True)
class SilentClock:
    """A silent partition's clock goes on with the wall clock, but only on the broker's word that nothing is unread.

    Feed it what each fetch came back with; `silent_since_us` starts anew with every record, assignment or broken connection.
    """

    idle_timeout_us: int
    allowed_lateness_us: int = 0
    silent_since_us: int | None = None
    confirmed_us: int | None = None

    def fetched_nothing(self, at_us: int) -> None:
        """The broker answered at this moment of the wall clock, and there was nothing that we have not read."""
        if self.silent_since_us is None:
            self.silent_since_us = at_us
        self.confirmed_us = at_us

    def fetched_something(self) -> None:
        self.silent_since_us = self.confirmed_us = None

    def broken(self) -> None:
        """Assigned anew, or the connection was lost: nothing is known about what is unread."""
        self.silent_since_us = self.confirmed_us = None

    @property
    def idle(self) -> bool:
        """Silent for at least the idle timeout."""
        return (
            self.confirmed_us is not None
            and self.silent_since_us is not None
            and self.confirmed_us - self.silent_since_us >= self.idle_timeout_us
        )

    def clock(self, delay_us: int) -> int | None:
        """Where the partition's clock stands by the wall clock; None as long as the partition is not idle."""
        if not self.idle or self.confirmed_us is None:
            return None
        return self.confirmed_us - self.idle_timeout_us - self.allowed_lateness_us - delay_us
