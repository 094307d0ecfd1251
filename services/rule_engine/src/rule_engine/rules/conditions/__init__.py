"""The conditions as rule files have them: one file a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.conditions.absence import ABSENCE
from rule_engine.rules.conditions.aggregate import AGGREGATE
from rule_engine.rules.conditions.event_count import EVENT_COUNT
from rule_engine.rules.conditions.forecast import FORECAST
from rule_engine.rules.conditions.match import MATCH
from rule_engine.rules.conditions.ratio import RATIO
from rule_engine.rules.conditions.spike import SPIKE
from rule_engine.rules.conditions.value_count import VALUE_COUNT
from rule_engine.rules.reading import Unread

if TYPE_CHECKING:
    from rule_engine.rules.conditions.word import ConditionWord
    from rule_engine.rules.model import Condition
    from rule_engine.rules.reading import Fields, Reader

CONDITIONS: dict[str, ConditionWord] = {
    word.table.name: word
    for word in (MATCH, EVENT_COUNT, VALUE_COUNT, RATIO, AGGREGATE, SPIKE, FORECAST, ABSENCE)
}
CONDITIONS_LATER = (
    "flatline",
    "new_term",
    "sequence",
    "reminder",
)


def condition_of(rule: Fields, reader: Reader) -> Condition:
    """Raises Unread where there is not exactly one, or it is wrong."""
    there = [name for name in CONDITIONS if name in rule]
    if not there:
        if rule.bad.intersection(CONDITIONS_LATER):
            raise Unread
        words = ", ".join(CONDITIONS)
        raise reader.wrong(rule.at, f"a rule needs a condition, one of {words}", "no-condition")
    if len(there) > 1:
        message = (
            f"a rule has exactly one condition, this one has {' and '.join(there)}: make two rules of it"
        )
        raise reader.wrong(rule.at_key(there[1]), message, "two-conditions")
    name = there[0]
    fields: Fields | None = rule.get(name)
    if fields is None:
        raise Unread
    return CONDITIONS[name].build(fields, rule, reader)
