"""`forecast: {of: data.used, reaches: data.quota, in: 4d, over: 6h, every: 10m}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.conditions.windows import ENDS, windows_fit
from rule_engine.rules.conditions.word import ConditionWord
from rule_engine.rules.model import DAY_US, Forecast
from rule_engine.rules.reading import Key, Table, Unread
from rule_engine.rules.values import Duration, Expr, Whole
from rule_engine.rules.words.selectors import NAMES

if TYPE_CHECKING:
    from rule_engine.rules.reading import Fields, Reader


def _build(fields: Fields, rule: Fields, reader: Reader) -> Forecast:
    fit = windows_fit(fields, rule, reader, "forecast", within="over")
    rises, falls = "reaches" in fields, "falls_to" in fields
    if rises == falls and not (fields.bad and not rises):  # one of those may have been meant
        at, what = (fields.at_key("falls_to"), "both are there") if rises else (fields.at, "there is none")
        reader.wrong(at, f"forecast needs exactly one of reaches and falls_to: {what}", "missing-key")
        fit = False
    if not fit or fields.bad:
        raise Unread
    return Forecast(
        of=fields.get("of"), limit=fields.get("reaches" if rises else "falls_to"), rises=rises, in_us=fields.get("in"),
        within_us=fields.get("over"), every_us=fields.get("every"), min_events=fields.get("min_events", 2),
        no_data_us=fields.get("no_data"), forget_us=fields.get("forget", 7 * DAY_US),
    )  # fmt: skip


_NUMBER = Expr(NAMES, "a number, or an expression that gives one, such as data.used")

FORECAST = ConditionWord(
Table(
    "forecast",
    [
        Key("of", _NUMBER, "The number whose trend it is.", "data.used", required=True),
        Key("reaches", _NUMBER, "What it rises to: a number, or an expression over the last event.", "data.quota"),
        Key("falls_to", _NUMBER, "What it falls to, in place of `reaches`.", 0),
        Key("in", Duration(), "Fires when it will be there within this time.", "4d", required=True),
        Key("over", Duration(), "How long the window is whose trend it is.", "6h", required=True),
        Key("every", Duration(), "How often a window ends; it divides `over`.", "10m", required=True),
        Key("min_events", Whole(2, 10**12), "A window with fewer events that have a number says nothing. 2 by default.", 6),
        *ENDS,
    ],
    schema={"oneOf": [{"required": ["reaches"]}, {"required": ["falls_to"]}]},
),
"Fires when the trend of a number will reach a limit within a time.",
{"of": "data.used", "reaches": "data.quota", "in": "4d", "over": "6h", "every": "10m", "min_events": 6},
_build,
)  # fmt: skip
