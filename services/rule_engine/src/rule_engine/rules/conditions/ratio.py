"""`ratio: {of: …, gte: 0.05, within: 5m}`, with `every` or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.conditions.windows import ENDS, EVERY, MIN_EVENTS, WITHIN, windows_fit
from rule_engine.rules.conditions.word import ConditionWord
from rule_engine.rules.model import DAY_US, Ratio
from rule_engine.rules.reading import Key, Table, Unread
from rule_engine.rules.values import Expr, Number
from rule_engine.rules.words.selectors import NAMES

if TYPE_CHECKING:
    from rule_engine.rules.reading import Fields, Reader


def _build(fields: Fields, rule: Fields, reader: Reader) -> Ratio:
    if not windows_fit(fields, rule, reader, "ratio") or fields.bad:
        raise Unread
    return Ratio(
        of=fields.get("of"), gte=fields.get("gte"), within_us=fields.get("within"), every_us=fields.get("every"),
        min_events=fields.get("min_events", 1), no_data_us=fields.get("no_data"), forget_us=fields.get("forget", 7 * DAY_US),
    )  # fmt: skip


RATIO = ConditionWord(
Table(
    "ratio",
    [
        Key("of", Expr(NAMES), "What is counted among the matching events.", "data.status >= 500", required=True),
        Key("gte", Number("a share of 1, such as 0.05 for 5 %", 0, 1e9), "The share, of 1, at which it fires.", 0.05, required=True),
        WITHIN,
        EVERY,
        MIN_EVENTS,
        *ENDS,
    ],
),
"Fires when a share of the matching events reaches a threshold.",
{"of": "data.status >= 500", "gte": 0.05, "within": "5m", "every": "30s", "min_events": 200},
_build,
)  # fmt: skip
