"""What makes a condition's word: its keys, and how they become a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rule_engine.rules.model import Condition
    from rule_engine.rules.reading import Fields, Reader, Table

MOST_STEPS = 10_000  # of `every` in a window, and of events that a key keeps


@dataclass(frozen=True, slots=True)
class ConditionWord:
    """`build` takes the condition's keys, those of its rule, and the reader; it raises Unread once all that is wrong is told."""

    table: Table
    says: str
    example: Any
    build: Callable[[Fields, Fields, Reader], Condition]
