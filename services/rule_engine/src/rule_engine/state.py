"""What the engine remembers of one (rule, customer, key), and how that is written to the changelog.

Times are microseconds since the Unix epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from contracts.times import from_micros

if TYPE_CHECKING:
    from rule_engine.plan import Plan

FORMAT = 1
NEVER = 1 << 62  # later than every time
PAST = -NEVER  # earlier than every time
MAX_ROW_BYTES = 500_000
_QUIET_FIELDS = 4  # of a row in which nothing but its condition has anything to say

Key = str | tuple[str, ...]
Cause = tuple[str, str]  # source and id of an event
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode
_key = msgspec.json.Encoder().encode
_unkey = msgspec.json.Decoder().decode


class Alert:
    """An alert that fires, or a momentary one that still has entries of `notify` to come.

    `armed_us` is the time of the last event that armed it, None where the condition is not armed. `pending` holds (time,
    index of the entry) of what is not due yet; `told` the indexes of what was due. `until_us` ends it silently.
    `falls_us`: the condition has become false, and the alert resolves if it is so until then (`keep_firing_for`); NEVER while
    it is true, PAST once that time is over and the condition said nothing then.
    """

    __slots__ = (
        "armed_us", "cause", "evidence", "falls_us", "fired_us", "id", "pending", "seq", "severity", "told", "until_us", "value",
        "vars",
    )  # fmt: skip

    def __init__(
        self, id: str, seq: int, fired_us: int, armed_us: int | None, severity: Any, value: Any, vars: dict[str, Any],
        evidence: list[str], cause: Cause | None, pending: list[tuple[int, int]], told: list[int], until_us: int,
        falls_us: int = NEVER,
    ) -> None:  # fmt: skip
        self.id = id
        self.seq = seq
        self.fired_us = fired_us
        self.armed_us = armed_us
        self.severity = severity
        self.value = value
        self.vars = vars
        self.evidence = evidence
        self.cause = cause
        self.pending = pending
        self.told = told
        self.until_us = until_us
        self.falls_us = falls_us

    def packed(self) -> list[Any]:
        return [getattr(self, name) for name in _ALERT]

    @staticmethod
    def unpacked(fields: list[Any]) -> Alert:
        alert = Alert(*fields)
        alert.cause = None if alert.cause is None else (alert.cause[0], alert.cause[1])
        alert.pending = [(due, index) for due, index in alert.pending]
        return alert


_ALERT = (
    "id", "seq", "fired_us", "armed_us", "severity", "value", "vars", "evidence", "cause", "pending", "told", "until_us",
    "falls_us",
)  # fmt: skip


class Held:
    """A condition that is true and may not fire yet: until `over_us` by `for`, and after that until the cooldown is over.

    `over_us` is PAST once that time is over. `value` and `evidence` are those of a momentary condition, which knows them only
    when it becomes true, and `true_us` the time of the event that made it so.
    """

    __slots__ = ("evidence", "over_us", "true_us", "value")

    def __init__(
        self, over_us: int, value: Any = None, evidence: list[str] | None = None, true_us: int = PAST
    ) -> None:
        self.over_us = over_us
        self.value = value
        self.evidence = evidence
        self.true_us = true_us

    def packed(self) -> list[Any]:
        return [self.over_us, self.value, self.evidence, self.true_us]


class Memory:
    """The last event of `resolve_on`, `expect` or `cancel_on`; `unanswered`: one of `expect` that ended nothing."""

    __slots__ = ("time_us", "unanswered")

    def __init__(self, time_us: int, *, unanswered: bool) -> None:
        self.time_us = time_us
        self.unanswered = unanswered


class Kept:
    """What `vars` will want of the key's last matching event when the clock, not an event, fires."""

    __slots__ = ("customer", "data", "event", "previous", "time_us")

    def __init__(
        self, time_us: int, event: dict[str, Any] | None, data: Any, customer: Any, previous: Any
    ) -> None:
        self.time_us = time_us
        self.event = event
        self.data = data
        self.customer = customer
        self.previous = previous

    def packed(self) -> list[Any]:
        event = None if self.event is None else {k: v for k, v in self.event.items() if k != "time"}
        return [self.time_us, event, self.data, self.customer, self.previous]

    @staticmethod
    def unpacked(fields: list[Any]) -> Kept:
        time_us, event, data, customer, previous = fields
        if event is not None:
            event["time"] = from_micros(time_us)
        return Kept(time_us, event, data, customer, previous)


class KeyState:
    """One row: a rule's state for one customer and key.

    `latest_us` is the largest time of the key's events and transitions, `matched_us` of its matching events. `condition` belongs to the
    rule's condition. `cooled_us`: no new firing before, PAST if there is no cooldown. `held`: it is true, and does not fire yet.
    `since_us`: the rule was edited then while its alert fired, and no window since has been full.
    `wake_us` is the time of the row's entry in the heap of what is due, NEVER if it has none. `fades_us`: nothing is due, and
    from then on nothing is left in it either; NEVER if that is not so. `queued_us`: its place among those that wait to fade, NEVER if it has none.
    `stored`: the changelog has it.
    """

    __slots__ = (
        "alert", "condition", "cooled_us", "customer", "dirty", "dropped", "fades_us", "held", "kept", "key", "latest_us", "matched_us",
        "memory", "plan", "previous", "queued_us", "since_us", "stored", "trailing", "wake_us",
    )  # fmt: skip

    def __init__(self, plan: Plan, customer: str | None, key: Key) -> None:
        self.plan = plan
        self.customer = customer
        self.key = key
        self.latest_us = PAST
        self.matched_us = PAST
        self.condition: Any = None
        self.kept: Kept | None = None
        self.alert: Alert | None = None
        self.trailing: tuple[Alert, ...] = ()
        self.cooled_us = PAST
        self.held: Held | None = None
        self.memory: Memory | None = None
        self.previous: tuple[int, Any] | None = None
        self.since_us: int | None = None
        self.wake_us = NEVER
        self.fades_us = NEVER
        self.queued_us = NEVER
        self.dirty = False
        self.dropped = False
        self.stored = False

    @property
    def quiet(self) -> bool:
        """Nothing fires, is held back or remembered: there is no more to it than its condition's state."""
        return (
            self.alert is None and self.held is None and self.memory is None and self.cooled_us == PAST
            and self.previous is None and self.since_us is None and not self.trailing
        )  # fmt: skip

    @property
    def bare(self) -> bool:
        """Nothing is left in it that could ever matter."""
        return self.condition is None and self.quiet

    @property
    def name(self) -> bytes:
        """Its key in the changelog."""
        return _key(("key", self.plan.rule.id, self.customer, self.key))

    def packed(self) -> bytes:
        if self.kept is None and (self.fades_us != NEVER or self.quiet):
            return _pack([FORMAT, self.latest_us, self.matched_us, self.condition])
        fields = [
            FORMAT, self.latest_us, self.matched_us, self.condition,
            None if self.alert is None else self.alert.packed(),
            self.cooled_us, None if self.held is None else self.held.packed(),
            None if self.memory is None else [self.memory.time_us, self.memory.unanswered],
            None if self.kept is None else self.kept.packed(),
            [alert.packed() for alert in self.trailing], self.previous, self.since_us,
        ]  # fmt: skip
        try:
            return _pack(fields)
        except OverflowError:  # an integer beyond 64 bits, which in JSON counts as a double
            return _pack(_within_64_bits(fields))

    def restore(self, value: bytes) -> None:
        """Raises ValueError if a newer release wrote the row."""
        fields = _unpack(value)
        if fields[0] != FORMAT:
            raise ValueError(f"a row of format {fields[0]}; this release knows format {FORMAT}")
        (
            _, self.latest_us, self.matched_us, self.condition, alert, self.cooled_us, held, memory, kept, trailing, previous,
            self.since_us,
        ) = fields if len(fields) > _QUIET_FIELDS else [*fields, None, PAST, None, None, None, [], None, None]  # fmt: skip
        self.alert = None if alert is None else Alert.unpacked(alert)
        if held:  # earlier releases wrote whether there was a cooldown
            self.held = Held(PAST) if held is True else Held(*held)
        self.memory = None if memory is None else Memory(memory[0], unanswered=memory[1])
        self.kept = None if kept is None else Kept.unpacked(kept)
        self.trailing = tuple(Alert.unpacked(each) for each in trailing)
        self.previous = None if previous is None else (previous[0], previous[1])


def _within_64_bits(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _within_64_bits(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_within_64_bits(each) for each in value]
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return float(value)
    return value


def row_key(*parts: Any) -> bytes:
    """The changelog key of a row: its kind and names as a JSON array."""
    return _key(parts)


def parts_of(key: bytes) -> list[Any]:
    parts: list[Any] = _unkey(key)
    return parts


def pack(value: Any) -> bytes:
    try:
        return _pack(value)
    except OverflowError:
        return _pack(_within_64_bits(value))


def unpack(value: bytes) -> Any:
    return _unpack(value)
