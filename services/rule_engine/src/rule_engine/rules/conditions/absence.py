"""`absence: {expect: …, within: 48h}`, or a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.conditions.word import ConditionWord
from rule_engine.rules.model import Absence
from rule_engine.rules.reading import Key, Table, Unread
from rule_engine.rules.values import Duration, DurationOrExpr, Expr, Truth
from rule_engine.rules.words.selectors import NAMES, Selectors

if TYPE_CHECKING:
    from rule_engine.expressions import Expression
    from rule_engine.rules.reading import Fields, Reader


def _build(fields: Fields, _rule: Fields, reader: Reader) -> Absence:
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
    if failed:
        raise Unread
    expression: Expression | None = fields.get("deadline")
    return Absence(
        expect=fields.get("expect"), within=fields.get("within"), deadline=expression,
        grace_us=fields.get("grace", 0), cancel_on=fields.get("cancel_on", ()), rearm=fields.get("rearm", True),
    )  # fmt: skip


ABSENCE = ConditionWord(
Table(
    "absence",
    [
        Key("expect", Selectors(), "The event that should come.", "order.shipped", required=True),
        Key("within", DurationOrExpr(NAMES), "How long after the event of `on` it may come: a duration, or an expression that gives one.", "48h"),
        Key("deadline", Expr(NAMES, "an expression that gives a time, such as timestamp(data.promised_at)"),
            "Until when it may come, in place of `within`.", "timestamp(data.promised_at)"),
        Key("grace", Duration(zero=True), "How long after the deadline it may still come. 0s by default.", "2h"),
        Key("cancel_on", Selectors(), "Events after which nothing is expected any more.", "order.cancelled"),
        Key("rearm", Truth(), "Whether a later event of `on` starts the wait anew. true by default.", example=False),
    ],
    later=("time_interval", "pause_on", "resume_on"),
),
"Fires when an expected event did not come in time.",
{"expect": "order.shipped", "within": "48h"},
_build,
)  # fmt: skip
