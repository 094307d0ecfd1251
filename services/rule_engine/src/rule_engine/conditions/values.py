"""Different values that a key showed, each with the last time it did: {hash: time}, in order of time.

A value is taken as text and remembered by a hash of 8 bytes, signed, so that msgpack writes it as it is. At most 10,000 a key.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from rule_engine.expressions import EvaluationError, Expression, to_text

if TYPE_CHECKING:
    from rule_engine.plan import Occurrence, Plan

Values = dict[int, int]
MAX_VALUES = 10_000


def value_of(of: Expression, plan: Plan, seen: Occurrence) -> tuple[Any, int] | None:
    """What the event shows, and its hash; None for null and what has no text. An error is counted."""
    try:
        value = of.evaluate(*seen.arguments)
        if value is None:
            return None
        text = value if value.__class__ is str else to_text(value)
    except EvaluationError:
        plan.counters.expression_errors[plan.rule.id] += 1
        return None
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return value, int.from_bytes(digest, signed=True)


def see(values: Values, name: int, time_us: int) -> bool:
    """Whether it was the value's last sight; if so, it is remembered."""
    if values.get(name, time_us) > time_us:
        return False
    values.pop(name, None)
    late = bool(values) and time_us < next(reversed(values.values()))
    values[name] = time_us
    if late:
        ordered = sorted(values.items(), key=_time)
        values.clear()
        values.update(ordered)
    return True


def age(values: Values, until_us: int) -> None:
    """Forget what was last seen then, or before."""
    gone = []
    for name, time_us in values.items():
        if time_us > until_us:
            break
        gone.append(name)
    for name in gone:
        del values[name]


def _time(entry: tuple[int, int]) -> int:
    return entry[1]
