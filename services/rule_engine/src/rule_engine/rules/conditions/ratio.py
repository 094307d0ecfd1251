"""`ratio: {of: …, gte: 0.05, within: 5m}`, with `every` or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.conditions.word import MOST_STEPS, ConditionWord
from rule_engine.rules.durations import format_duration
from rule_engine.rules.model import DAY_US, Ratio
from rule_engine.rules.reading import Key, Table, Unread
from rule_engine.rules.values import Duration, Expr, Number, Whole
from rule_engine.rules.words.selectors import NAMES

if TYPE_CHECKING:
    from rule_engine.rules.reading import Fields, Reader


def _build(fields: Fields, rule: Fields, reader: Reader) -> Ratio:
    within: int | None = fields.get("within")
    every: int | None = fields.get("every")
    no_data: int | None = fields.get("no_data")
    failed = bool(fields.bad)
    if every is not None and within is not None:
        if within % every:
            message = f"`every` must divide `within`: {format_duration(within)} is no multiple of {format_duration(every)}"
            reader.wrong(fields.at_value("every"), message)
            failed = True
        elif within // every > MOST_STEPS:
            message = f"a window of {within // every:,} steps of `every`; at most {MOST_STEPS:,} are allowed"
            reader.wrong(fields.at_value("every"), message)
            failed = True
    if "every" not in fields:
        if rule.get("scope") == "global":
            reader.wrong(
                fields.at, "under `scope: global` ratio needs 'every', such as every: 30s", "missing-key"
            )
            failed = True
        for name in ("no_data", "forget"):
            if name in fields:
                reader.wrong(fields.at_key(name), f"{name!r} is for windows: it needs 'every' beside it")
                failed = True
        if fields.get("min_events", 1) > MOST_STEPS:
            message = f"without 'every' a key keeps {MOST_STEPS:,} events: min_events can't be reached"
            reader.wrong(fields.at_value("min_events"), message)
            failed = True
    if no_data is not None and every is not None and no_data < every:
        reader.wrong(fields.at_value("no_data"), f"expected at least `every`, {format_duration(every)}")
        failed = True
    if failed:
        raise Unread
    return Ratio(
        of=fields.get("of"), gte=fields.get("gte"), within_us=fields.get("within"), every_us=every,
        min_events=fields.get("min_events", 1), no_data_us=no_data, forget_us=fields.get("forget", 7 * DAY_US),
    )  # fmt: skip


RATIO = ConditionWord(
Table(
    "ratio",
    [
        Key("of", Expr(NAMES), "What is counted among the matching events.", "data.status >= 500", required=True),
        Key("gte", Number("a share of 1, such as 0.05 for 5 %", 0, 1e9), "The share, of 1, at which it fires.", 0.05, required=True),
        Key("within", Duration(), "How long a window is.", "5m", required=True),
        Key("every", Duration(), "How often a window ends; it divides `within`. Without it the window slides with the events.", "30s"),
        Key("min_events", Whole(1, 10**12), "A window with fewer events says nothing. 1 by default.", 200),
        Key("no_data", Duration(), "This long after the last window that said something it counts as false.", "1h"),
        Key("forget", Duration(), "A key whose windows have been empty this long is forgotten. 7d by default.", "7d"),
    ],
),
"Fires when a share of the matching events reaches a threshold.",
{"of": "data.status >= 500", "gte": 0.05, "within": "5m", "every": "30s", "min_events": 200},
_build,
)  # fmt: skip
