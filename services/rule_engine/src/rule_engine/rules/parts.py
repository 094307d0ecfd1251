"""What stands in a rule, wherever it stands: its expressions, and the selectors of its condition."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from rule_engine.expressions import Expression
from rule_engine.rules.model import Selector

if TYPE_CHECKING:
    from collections.abc import Iterator


def expressions_in(part: Any, *, selectors: bool = True) -> Iterator[Expression]:
    """All that a rule, or a part of one, evaluates over events; without `selectors` not what they evaluate."""
    if isinstance(part, Expression):
        yield part
    elif isinstance(part, Selector) and not selectors:
        return
    else:
        for each in _parts(part):
            yield from expressions_in(each, selectors=selectors)


def selectors_in(part: Any) -> Iterator[Selector]:
    """The selectors of a condition, or of any other part of a rule, in the order of its fields."""
    if isinstance(part, Selector):
        yield part
    elif not isinstance(part, Expression):
        for each in _parts(part):
            yield from selectors_in(each)


def _parts(part: Any) -> Iterator[Any]:
    if isinstance(part, tuple):
        yield from part
    elif is_dataclass(part):
        yield from (getattr(part, each.name) for each in fields(part))
