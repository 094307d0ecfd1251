"""The condition of a rule, of the keys read for it; with what its keys must say together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.durations import format_duration
from rule_engine.rules.model import DAY_US, Absence, Condition, EventCount, Match, Ratio
from rule_engine.rules.reading import Fields, Reader, Unread
from rule_engine.rules.words import CONDITIONS, CONDITIONS_LATER, MOST_STEPS

if TYPE_CHECKING:
    from rule_engine.expressions import Expression


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
    if name == "event_count":
        return _event_count(fields)
    if name == "ratio":
        return _ratio(fields, reader, scope=rule.get("scope"))
    if name == "absence":
        return _absence(fields, reader)
    return Match()


def _event_count(fields: Fields) -> EventCount:
    if fields.bad:
        raise Unread
    return EventCount(gte=fields.get("gte"), within_us=fields.get("within"))


def _ratio(fields: Fields, reader: Reader, scope: str | None) -> Ratio:
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
        if scope == "global":
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


def _absence(fields: Fields, reader: Reader) -> Absence:
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
