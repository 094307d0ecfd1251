"""A rule as the reference has it: plain functions stand where a rule file has expressions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reference.condition import Asked, Picks
from reference.told import DAY, Data, Event, Key


@dataclass(frozen=True)
class Entry:
    after: int = 0
    every: int | None = None
    resolves: bool = True
    severity: str | None = None
    affected: bool = False


@dataclass(frozen=True)
class Spec:
    """A rule. `where` sees data and previous and gives None for an error; `vars` sees data, previous, value and key.

    `wait` is its `for`, `keep` its `keep_firing_for`.
    """

    id: str
    on: Picks
    condition: Asked
    key: Callable[[Event], Key | None]
    where: Callable[[Data, Data], bool | None] = lambda data, previous: True
    resolve_on: Picks = ()
    otherwise: bool = False
    wait: int = 0
    keep: int = 0
    resolve_after: int = 365 * DAY
    cooldown: int = 0
    lookback: int = 60_000_000
    entries: tuple[Entry, ...] = ()
    severity: str = "warning"
    vars: Callable[[Data, Data, Any, Key], Data] = lambda data, previous, value, key: {}
    uses_previous: bool = False

    @property
    def has_false(self) -> bool:
        """Whether the condition can become false by itself."""
        return not self.condition.momentary or self.otherwise

    @property
    def over_at_once(self) -> bool:
        """Nothing lasts: its alerts end as soon as they fire."""
        return self.condition.momentary and not self.resolve_on and not self.otherwise
