"""What the engine counts, by rule id; whoever runs it turns this into metrics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """`events` and `late_events` are per partition's engine, the others per rule."""

    events: int = 0
    late_events: int = 0
    poison: int = 0
    matched: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    resolved: Counter[str] = field(default_factory=Counter)
    expression_errors: Counter[str] = field(default_factory=Counter)
    isolated: Counter[str] = field(default_factory=Counter)
    values_dropped: Counter[str] = field(default_factory=Counter)
