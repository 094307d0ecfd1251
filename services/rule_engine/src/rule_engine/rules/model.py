"""A rule as it was loaded: checked, defaults merged, durations in microseconds, expressions compiled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from contracts.alerts import NotifyEntry, RuleWords, Severity
    from rule_engine.expressions import Expression
    from rule_engine.intervals import Interval
    from rule_engine.intervals.days import WorkingDays

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

Scope = Literal["customer", "global"]
RuleMode = Literal["live", "shadow", "off"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: line and column from 1, in code points."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong (`error`) or doubtful (`warning`) with a rule file, in words for whoever wrote it."""

    place: Place
    message: str
    rule: str | None = None
    level: Literal["error", "warning"] = "error"
    code: str = "error"  # a short stable name: unknown-key, never-resolves, …

    def __str__(self) -> str:
        about = f"rule {self.rule}: " if self.rule else ""
        return f"{self.place}: {self.level}: {about}{self.message}"


class RuleFileError(ValueError):
    """A rule file with errors; `problems` has each with its place."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class NamedInterval:
    """An entry of `time_intervals`; its interval is None where it is wrong."""

    name: str
    interval: Interval | None
    place: Place


@dataclass(frozen=True, slots=True)
class Selector:
    """Picks events: by type (a glob when it holds `*`), and by `where`; `group_by` is the key's name on such events."""

    type: str
    where: Expression | None = None
    group_by: tuple[Expression, ...] | None = None

    def selects(self, type_name: str) -> bool:
        """Whether events of this type are meant; `*` stands for any characters, dots too, or none."""
        first, *middle = self.type.split("*")
        if not middle:
            return self.type == type_name
        last = middle.pop()
        at, end = len(first), len(type_name) - len(last)
        if not (at <= end and type_name.startswith(first) and type_name.endswith(last)):
            return False
        for part in middle:
            found = type_name.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True


@dataclass(frozen=True, slots=True)
class Match:
    """Fires on each matching event."""


@dataclass(frozen=True, slots=True)
class EventCount:
    gte: int
    within_us: int


@dataclass(frozen=True, slots=True)
class ValueCount:
    of: Expression
    gte: int
    within_us: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """`every_us` None: sliding. `no_data_us` None: silence never counts as false."""

    of: Expression
    gte: float
    within_us: int
    every_us: int | None = None
    min_events: int = 1
    no_data_us: int | None = None
    forget_us: int = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`function` (avg, p95, …) of the numbers that `of` gives, compared (gt, lte, …) with `threshold`.

    The windows are those of a ratio.
    """

    function: str
    of: Expression
    compare: str
    threshold: float
    within_us: int
    every_us: int | None = None
    min_events: int = 1
    no_data_us: int | None = None
    forget_us: int = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class Spike:
    """A window's count, or its sum of `sum`, against the mean of its references: those that fill `previous_us` before it, or,
    where that is None, the same windows each of `same_time_us` ago.
    """

    factor: float
    within_us: int
    every_us: int
    previous_us: int | None = None
    same_time_us: tuple[int, ...] = ()
    sum: Expression | None = None
    direction: Literal["up", "down", "both"] = "up"
    min_events: int = 1
    no_data_us: int | None = None
    forget_us: int = 7 * DAY_US

    @property
    def reach_us(self) -> int:
        """How far before a window's end its farthest reference begins."""
        return self.within_us + (self.previous_us or max(self.same_time_us))


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the trend of `of` over `within_us` will have risen (or fallen) to `limit`: within `in_us`?"""

    of: Expression
    limit: Expression
    rises: bool
    in_us: int
    within_us: int
    every_us: int
    min_events: int = 2
    no_data_us: int | None = None
    forget_us: int = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class Absence:
    """Exactly one of `within` (microseconds, working days, or an expression that gives a duration) and `deadline` is set.

    `grace` is in microseconds or working days; with `time_interval` it counts, as `within` does, only the time inside.
    """

    expect: tuple[Selector, ...]
    within: int | WorkingDays | Expression | None = None
    deadline: Expression | None = None
    grace: int | WorkingDays = 0
    time_interval: Interval | None = None
    cancel_on: tuple[Selector, ...] = ()
    pause_on: tuple[Selector, ...] = ()
    resume_on: tuple[Selector, ...] = ()
    rearm: bool = True


Condition = Match | EventCount | ValueCount | Ratio | Aggregate | Spike | Forecast | Absence
MOMENTARY = (Match,)  # true at an instant, without a "false" of their own


def word_of(condition: Condition) -> str:
    """The condition's word in a rule file: event_count for EventCount."""
    name = type(condition).__name__
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)[1:]


@dataclass(frozen=True, slots=True)
class Notify:
    """An entry of `notify` and when it is due: `after_us` from the firing, and again every `every_us` until it resolves."""

    entry: NotifyEntry
    after_us: int = 0
    every_us: int | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `meaning` hashes what decides when it fires (on, where, condition, …); `version` hashes all of it.

    `group_by` is empty where the key is the customer (scope customer) or the one key "" (scope global).
    `key_is_list` says that `group_by` was written as a list, so that the key is one. `words` is what readers of its
    alerts are told. `otherwise`: an event of `on` whose `where` is false ends what fires, as one of `resolve_on`.
    `resolve_after_us` has the language's default filled in.
    """

    id: str
    place: Place
    on: tuple[Selector, ...]
    condition: Condition
    words: RuleWords
    version: str
    meaning: str
    severity: Severity = "warning"
    mode: RuleMode = "live"
    scope: Scope = "customer"
    affected: bool = False
    where: Expression | None = None
    group_by: tuple[Expression, ...] = ()
    key_is_list: bool = False
    resolve_on: tuple[Selector, ...] = ()
    otherwise: bool = False
    resolve_after_us: int = 365 * DAY_US
    for_us: int = 0
    keep_firing_for_us: int = 0
    cooldown_us: int = 0
    lookback_us: int = MINUTE_US
    vars: tuple[tuple[str, Expression], ...] = ()
    notify: tuple[Notify, ...] = field(default=())

    @property
    def momentary(self) -> bool:
        """The condition is true at an instant and has no "false" of its own."""
        return isinstance(self.condition, MOMENTARY) and not (
            self.otherwise and isinstance(self.condition, Match)
        )

    @property
    def ends_by_event(self) -> bool:
        return bool(self.resolve_on or self.otherwise)

    @property
    def over_at_once(self) -> bool:
        """What fires has no end: it is momentary, and no event resolves it."""
        return self.momentary and not self.ends_by_event

    @property
    def identity(self) -> str:
        """What an alert outlives no change of: kind of condition, scope and group_by."""
        keys = ",".join(expression.source for expression in self.group_by)
        return f"{type(self.condition).__name__}/{self.scope}/{self.affected}/{keys}/{self.key_is_list}"
