"""`aggregate: {avg: data.ms, gt: 2000, within: 5m}`, with `every` or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.conditions.windows import ENDS, EVERY, WITHIN, windows_fit
from rule_engine.rules.conditions.word import ConditionWord
from rule_engine.rules.model import DAY_US, Aggregate
from rule_engine.rules.reading import Key, Table, Unread
from rule_engine.rules.values import Expr, Number, Whole
from rule_engine.rules.words.selectors import NAMES

if TYPE_CHECKING:
    from rule_engine.rules.reading import Fields, Reader

FUNCTIONS = {
    "avg": "their average", "sum": "their sum", "min": "the smallest", "max": "the largest",
    "p50": "their median", "p90": "what nine in ten do not exceed", "p95": "what 95 in 100 do not exceed",
    "p99": "what 99 in 100 do not exceed",
}  # fmt: skip
COMPARES = {"gt": "above", "gte": "at or above", "lt": "below", "lte": "at or below"}


def _build(fields: Fields, rule: Fields, reader: Reader) -> Aggregate:
    function = _one_of(tuple(FUNCTIONS), fields, reader)
    compare = _one_of(tuple(COMPARES), fields, reader)
    fit = windows_fit(fields, rule, reader, "aggregate")
    if function != "sum" and fields.get("min_events") == 0:
        message = "expected at least 1: of no events only a sum is something, 0"
        reader.wrong(fields.at_value("min_events"), message)
        fit = False
    if not fit or function is None or compare is None or fields.bad:
        raise Unread
    return Aggregate(
        function=function, of=fields.get(function), compare=compare, threshold=fields.get(compare),
        within_us=fields.get("within"), every_us=fields.get("every"),
        min_events=fields.get("min_events", int(function != "sum")),
        no_data_us=fields.get("no_data"), forget_us=fields.get("forget", 7 * DAY_US),
    )  # fmt: skip


def _one_of(names: tuple[str, ...], fields: Fields, reader: Reader) -> str | None:
    there = [name for name in names if name in fields]
    if len(there) == 1:
        return there[0]
    if not there and fields.bad:  # one of those may have been meant
        return None
    if there:
        at, what = fields.at_key(there[1]), f"there are {' and '.join(there)}"
    else:
        at, what = fields.at, "there is none"
    reader.wrong(at, f"aggregate needs exactly one of {', '.join(names)}: {what}", "missing-key")
    return None


_NUMBER = Number("a number", -1.7e308, 1.7e308)

AGGREGATE = ConditionWord(
Table(
    "aggregate",
    [
        *(
            Key(name, Expr(NAMES, "an expression that gives a number, such as data.ms"), f"Of the matching events' numbers {says}.", "data.ms")
            for name, says in FUNCTIONS.items()
        ),
        *(Key(name, _NUMBER, f"Fires while it is {says} this.", 2000) for name, says in COMPARES.items()),
        WITHIN,
        EVERY,
        Key("min_events", Whole(0, 10**12), "A window with fewer events that have a number says nothing. 1 by default, 0 for sum.", 50),
        *ENDS,
    ],
    schema={"allOf": [{"oneOf": [{"required": [name]} for name in names]} for names in (FUNCTIONS, COMPARES)]},
),
"Fires when an average, a sum, an extreme or a percentile of the matching events passes a threshold.",
{"avg": "data.ms", "gt": 2000, "within": "5m", "every": "30s", "min_events": 50},
_build,
)  # fmt: skip
