"""`spike: {within: 10m, every: 1m, factor: 3, against: {previous: 1h}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.conditions.windows import ENDS, MIN_EVENTS, WITHIN, windows_fit
from rule_engine.rules.conditions.word import MOST_STEPS, ConditionWord
from rule_engine.rules.durations import format_duration
from rule_engine.rules.model import DAY_US, Spike
from rule_engine.rules.reading import Key, ListOf, Table, Unread
from rule_engine.rules.values import Duration, Expr, Number, Word
from rule_engine.rules.words.selectors import NAMES

if TYPE_CHECKING:
    from rule_engine.rules.reading import Fields, Reader


def _build(fields: Fields, rule: Fields, reader: Reader) -> Spike:
    if not windows_fit(fields, rule, reader, "spike") or fields.bad:
        raise Unread
    against: Fields = fields.get("against")
    previous_us: int | None = against.get("previous")
    same_time_us = tuple(against.get("same_time", ()))
    before = len(reader.problems)
    if (previous_us is None) == (not same_time_us):
        what = "there is none" if previous_us is None else "both are there"
        reader.wrong(against.at, f"against needs exactly one of previous and same_time: {what}")
        raise Unread
    within_us, every_us = fields.get("within"), fields.get("every")
    if previous_us is not None and previous_us % within_us:
        message = f"expected a multiple of `within`, {format_duration(within_us)}: that many windows fill it"
        reader.wrong(against.at_value("previous"), message)
    for ago_us in same_time_us:
        if ago_us % every_us:
            message = f"expected multiples of `every`, {format_duration(every_us)}: {format_duration(ago_us)} is none"
            reader.wrong(against.at_value("same_time"), message)
    if len(reader.problems) == before:
        steps = (within_us + (previous_us or max(same_time_us))) // every_us
        if steps > MOST_STEPS:
            message = f"the farthest reference begins {steps:,} steps of `every` back; at most {MOST_STEPS:,} are allowed"
            reader.wrong(fields.at_value("every"), message)
    if len(reader.problems) > before:
        raise Unread
    return Spike(
        factor=fields.get("factor"), within_us=within_us, every_us=every_us, previous_us=previous_us,
        same_time_us=same_time_us, sum=fields.get("sum"), direction=fields.get("direction", "up"),
        min_events=fields.get("min_events", 1), no_data_us=fields.get("no_data"),
        forget_us=fields.get("forget", 7 * DAY_US),
    )  # fmt: skip


AGAINST = Table(
    "against",
    [
        Key("previous", Duration(), "The windows that fill this time before the window; a multiple of `within`.", "1h"),
        Key("same_time", ListOf(Duration(), "a list of durations such as [1d, 7d]", unique=True), "The same windows so long ago.", ["1d", "7d"]),
    ],
    schema={"oneOf": [{"required": ["previous"]}, {"required": ["same_time"]}]},
)  # fmt: skip

SPIKE = ConditionWord(
Table(
    "spike",
    [
        WITHIN,
        Key("every", Duration(), "How often a window ends; it divides `within`.", "1m", required=True),
        Key("factor", Number("a factor of at least 1, such as 3", 1, 1e9), "How many times the mean it takes; down: at most what part of it.", 3, required=True),
        Key("against", AGAINST, "The windows that it is compared with; before there is as much history it is silent.", {"previous": "1h"}, required=True),
        Key("sum", Expr(NAMES, "an expression that gives a number, such as data.amount"), "Compares sums of this in place of counts.", "data.amount"),
        Key("direction", Word("up", "down", "both"), "Whether more, less or both fires. up by default.", "up"),
        Key("min_events", MIN_EVENTS.kind, "up: a window with fewer is false; down: a mean of fewer says nothing. 1 by default.", 20),
        *ENDS,
    ],
),
"Fires when a window has many times as many matching events as those before it, or as few.",
{"within": "10m", "every": "1m", "factor": 3, "against": {"previous": "1h"}, "min_events": 20},
_build,
)  # fmt: skip
