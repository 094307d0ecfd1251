"""A rule of the keys read for it, defaults merged; with what its keys must say together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from contracts.alerts import RuleWords
from rule_engine.rules.conditions import condition_of
from rule_engine.rules.durations import format_duration
from rule_engine.rules.meaning import meaning_of, version_of
from rule_engine.rules.model import (
    DAY_US,
    MINUTE_US,
    MOMENTARY,
    Absence,
    Condition,
    Notify,
    Ratio,
    Rule,
    Selector,
    word_of,
)
from rule_engine.rules.notify import notify_of
from rule_engine.rules.reading import Fields, Reader, Unread
from rule_engine.rules.words.selectors import OTHERWISE

if TYPE_CHECKING:
    from rule_engine.expressions import Expression


def rule_of(fields: Fields, reader: Reader) -> Rule:
    """Raises Unread, once all that is wrong with the rule has been told to the reader."""
    before = len(reader.problems)
    condition = notify = None
    if "on" not in fields:
        reader.wrong(
            fields.at,
            "a rule needs 'on': the events that it looks at, such as on: payment.failed",
            "missing-key",
        )
    try:
        condition = condition_of(fields, reader)
    except Unread:
        pass
    _check_scope(fields, condition, reader)
    _check_otherwise(fields, reader)
    _check_waits(fields, condition, reader)
    _check_selectors(fields, condition, reader)
    try:
        notify = notify_of(fields, condition, reader)
    except Unread:
        pass
    if fields.bad or condition is None or notify is None or len(reader.problems) > before:
        raise Unread
    return _rule(fields, condition, notify, reader)


def _rule(fields: Fields, condition: Condition, notify: tuple[Notify, ...], reader: Reader) -> Rule:
    group_by = fields.get("group_by", ())
    keys: tuple[Expression, ...] = tuple(group_by) if isinstance(group_by, list | tuple) else (group_by,)
    mode = fields.get("mode", "live")
    words = RuleWords(
        title=fields.get("title", fields.get("id")),
        mode="shadow" if mode == "shadow" else "live",
        description=fields.get("description"),
        owner=fields.get("owner"),
        runbook=fields.get("runbook"),
        labels=fields.get("labels", {}),
        group_by=tuple(key.source for key in keys),
    )
    default_end = 30 * DAY_US if isinstance(condition, MOMENTARY) else 365 * DAY_US
    rule = Rule(
        id=fields.get("id"),
        place=reader.place(fields.at_value("id")),
        on=fields.get("on"),
        condition=condition,
        words=words,
        version="",
        meaning="",
        severity=fields.get("severity", "warning"),
        mode=mode,
        scope=fields.get("scope", "customer"),
        affected=fields.get("affected", False),
        where=fields.get("where"),
        group_by=keys,
        key_is_list=isinstance(group_by, list),
        resolve_on=tuple(each for each in fields.get("resolve_on", ()) if each is not OTHERWISE),
        otherwise=OTHERWISE in fields.get("resolve_on", ()),
        resolve_after_us=max([fields.get("resolve_after", default_end), *(each.after_us for each in notify)]),
        for_us=fields.get("for", 0),
        keep_firing_for_us=fields.get("keep_firing_for", 0),
        cooldown_us=fields.get("cooldown", 0),
        lookback_us=fields.get("lookback", MINUTE_US),
        vars=tuple(fields.get("vars", {}).items()),
        notify=notify,
    )
    return replace(rule, version=version_of(rule), meaning=meaning_of(rule))


def _check_scope(fields: Fields, condition: Condition | None, reader: Reader) -> None:
    is_global = fields.get("scope") == "global"
    if is_global and condition is not None and not isinstance(condition, Ratio):
        message = "`scope: global` with this condition belongs to the language, but this version has it for ratio only"
        reader.wrong(fields.at_value("scope"), message, "not-yet")
    if fields.get("affected") and not is_global and "scope" not in fields.bad:
        reader.wrong(fields.at_value("affected"), "`affected: true` needs `scope: global`")


def _check_otherwise(fields: Fields, reader: Reader) -> None:
    if OTHERWISE in fields.get("resolve_on", ()) and "where" not in fields:
        message = "'otherwise' is an event of `on` whose `where` is false: the rule needs 'where'"
        reader.wrong(fields.at_value("resolve_on"), message)


def _check_waits(fields: Fields, condition: Condition | None, reader: Reader) -> None:
    every_us: int | None = getattr(condition, "every_us", None)
    for name in ("for", "keep_firing_for"):
        if name not in fields:
            continue
        if isinstance(condition, MOMENTARY) and "resolve_on" not in fields:
            message = f"{name!r} needs an end, and {word_of(condition)} without resolve_on is over at once: name what ends it in resolve_on"
            reader.wrong(fields.at_key(name), message)
        elif every_us is not None and fields.get(name, 0) % every_us:
            message = f"expected a multiple of `every`, {format_duration(every_us)}: windows end that often"
            reader.wrong(fields.at_value(name), message)


def _check_selectors(fields: Fields, condition: Condition | None, reader: Reader) -> None:
    """A selector's `group_by` names the same key as the rule's: as many parts."""
    if "group_by" in fields.bad:
        return
    group_by: Any = fields.get("group_by", ())
    parts = len(group_by) if isinstance(group_by, list | tuple) else 1
    named: list[tuple[int, tuple[Selector, ...]]] = [
        (fields.at_value(name), fields.get(name, ())) for name in ("on", "resolve_on")
    ]
    if isinstance(condition, Absence):
        absence: Fields = fields.get("absence")
        words = ("expect", "cancel_on", "pause_on", "resume_on")
        named += [(absence.at_value(name), absence.get(name, ())) for name in words]
    for at, selectors in named:
        for selector in selectors:
            if selector.group_by is None or len(selector.group_by) == parts:
                continue
            if parts == 0:
                reader.wrong(
                    at,
                    "a selector's group_by needs one on the rule: it says where these events carry the rule's key",
                )
            else:
                reader.wrong(
                    at,
                    f"the rule's group_by has {parts}, this selector's {len(selector.group_by)}: the same number is needed",
                )
