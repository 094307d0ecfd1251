"""`value_count: {of: data.card, gte: 3, within: 10m}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.conditions.word import MOST_STEPS, ConditionWord
from rule_engine.rules.model import ValueCount
from rule_engine.rules.reading import Key, Table, Unread
from rule_engine.rules.values import Duration, Expr, Whole
from rule_engine.rules.words.selectors import NAMES

if TYPE_CHECKING:
    from rule_engine.rules.reading import Fields, Reader


def _build(fields: Fields, _rule: Fields, _reader: Reader) -> ValueCount:
    if fields.bad:
        raise Unread
    return ValueCount(of=fields.get("of"), gte=fields.get("gte"), within_us=fields.get("within"))


VALUE_COUNT = ConditionWord(
    Table(
        "value_count",
        [
            Key("of", Expr(NAMES), "What is counted by its different values.", "data.card", required=True),
            Key("gte", Whole(1, MOST_STEPS), "How many different values it takes.", 3, required=True),
            Key("within", Duration(), "In how long a time.", "10m", required=True),
        ],
    ),
    "Fires when matching events showed so many different values within a time.",
    {"of": "data.card", "gte": 3, "within": "10m"},
    _build,
)
