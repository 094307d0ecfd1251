"""`absence: {expect: …, within: 48h}`, or a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rule_engine.intervals.days import WorkingDays
from rule_engine.rules.conditions.word import ConditionWord
from rule_engine.rules.model import Absence
from rule_engine.rules.reading import Key, Table, Unread
from rule_engine.rules.values import Expr, Span, SpanOf, SpanOrExpr, Text, Truth, check_spans
from rule_engine.rules.words.intervals import interval_named
from rule_engine.rules.words.selectors import NAMES, Selectors

if TYPE_CHECKING:
    from rule_engine.rules.reading import Fields, Reader


def _build(fields: Fields, _rule: Fields, reader: Reader) -> Absence:
    before = len(reader.problems)
    failed = bool(fields.bad)
    within, deadline = "within" in fields, "deadline" in fields
    if within == deadline:
        at = fields.at_key("deadline") if within else fields.at
        what = "both are there" if within else "neither is there"
        reader.wrong(at, f"absence needs exactly one of 'within' and 'deadline': {what}")
        failed = True
    if within and "grace" in fields:
        reader.wrong(fields.at_key("grace"), "'grace' is for a deadline: add it to 'within'")
        failed = True
    spans = [span for name in ("within", "grace") if isinstance(span := fields.get(name), Span)]
    check_spans(spans, in_interval="time_interval" in fields, reader=reader)
    _check_pauses(fields, reader)
    interval = interval_named(fields, "time_interval", reader) if "time_interval" in fields.fields else None
    if failed or len(reader.problems) > before:
        raise Unread
    return Absence(
        expect=fields.get("expect"), within=_value(fields.get("within")), deadline=fields.get("deadline"),
        grace=_value(fields.get("grace", 0)), time_interval=interval, cancel_on=fields.get("cancel_on", ()),
        pause_on=fields.get("pause_on", ()), resume_on=fields.get("resume_on", ()), rearm=fields.get("rearm", True),
    )  # fmt: skip


def _check_pauses(fields: Fields, reader: Reader) -> None:
    within: Any = fields.get("within")
    for name in ("pause_on", "resume_on"):
        if name not in fields:
            continue
        if "deadline" in fields:
            reader.wrong(fields.at_key(name), f"{name!r} is for 'within': a deadline does not wait")
        elif isinstance(within, Span) and isinstance(within.value, WorkingDays):
            message = f"{name!r} does not go with working days ({within.text}): say how many hours inside the interval"
            reader.wrong(fields.at_key(name), message)


def _value(span: Any) -> Any:
    return span.value if isinstance(span, Span) else span


ABSENCE = ConditionWord(
Table(
    "absence",
    [
        Key("expect", Selectors(), "The event that should come.", "order.shipped", required=True),
        Key("within", SpanOrExpr(NAMES), "How long after the event of `on` it may come: a duration, working days, or an expression that gives a duration.", "48h"),
        Key("deadline", Expr(NAMES, "an expression that gives a time, such as timestamp(data.promised_at)"),
            "Until when it may come, in place of `within`.", "timestamp(data.promised_at)"),
        Key("grace", SpanOf(zero=True), "How long after the deadline it may still come. 0s by default.", "2h"),
        Key("cancel_on", Selectors(), "Events after which nothing is expected any more.", "order.cancelled"),
        Key("time_interval", Text("a time interval's name", most=100), "The interval of `time_intervals` that alone counts in `within` and `grace`.", "warehouse"),
        Key("pause_on", Selectors(), "Events that stop the clock of an armed key …", {"on": "ticket.updated", "where": "data.waiting"}),
        Key("resume_on", Selectors(), "… and events that let it go on with what was left.", {"on": "ticket.updated", "where": "!data.waiting"}),
        Key("rearm", Truth(), "Whether a later event of `on` starts the wait anew. true by default.", example=False),
    ],
),
"Fires when an expected event did not come in time.",
{"expect": "order.shipped", "within": "48h"},
_build,
)  # fmt: skip
