"""`event_count: {gte: 3, within: 10m}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.conditions.word import MOST_STEPS, ConditionWord
from rule_engine.rules.model import EventCount
from rule_engine.rules.reading import Key, Table, Unread
from rule_engine.rules.values import Duration, Whole

if TYPE_CHECKING:
    from rule_engine.rules.reading import Fields, Reader


def _build(fields: Fields, _rule: Fields, _reader: Reader) -> EventCount:
    if fields.bad:
        raise Unread
    return EventCount(gte=fields.get("gte"), within_us=fields.get("within"))


EVENT_COUNT = ConditionWord(
    Table(
        "event_count",
        [
            Key("gte", Whole(1, MOST_STEPS), "How many matching events it takes.", 3, required=True),
            Key("within", Duration(), "In how long a time.", "10m", required=True),
        ],
    ),
    "Fires when so many matching events came within a time.",
    {"gte": 3, "within": "10m"},
    _build,
)
