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


def covers(wide: Selector, narrow: Selector) -> bool:
    """Whether one picks every event that the other picks, under the same key, as far as can be told from how they are written.

    A glob that takes another's `*` for a character takes whatever that stands for.
    """
    where = None if narrow.where is None else narrow.where.source
    return (
        wide.selects(narrow.type)
        and (wide.where is None or wide.where.source == where)
        and _sources(wide) == _sources(narrow)
    )


def _sources(selector: Selector) -> list[str] | None:
    return None if selector.group_by is None else [key.source for key in selector.group_by]


def _parts(part: Any) -> Iterator[Any]:
    if isinstance(part, tuple):
        yield from part
    elif is_dataclass(part):
        yield from (getattr(part, each.name) for each in fields(part))
