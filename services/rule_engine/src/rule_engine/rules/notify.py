"""The entries of `notify`, of the keys read for them; with what a rule and its entries must say together."""

from __future__ import annotations

from typing import Any, cast

from contracts.alerts import Channel, Destination, NotifyEntry, TicketOrder
from rule_engine.rules.model import MOMENTARY, Condition, Notify, word_of
from rule_engine.rules.reading import Fields, Reader, Unread

EXPIRES_US = 72 * 3_600_000_000


def notify_of(rule: Fields, condition: Condition | None, reader: Reader) -> tuple[Notify, ...]:
    """All entries, the rule's own category and expiry filled in. Raises Unread after every entry was looked at."""
    entries = []
    failed = "notify" in rule.bad
    for index, fields in enumerate(rule.get("notify", ())):
        try:
            entries.append(_entry(index, fields, rule, condition, reader))
        except Unread:
            failed = True
    if failed:
        raise Unread
    return tuple(entries)


def _entry(index: int, fields: Fields, rule: Fields, condition: Condition | None, reader: Reader) -> Notify:
    before = len(reader.problems)
    is_ticket = "ticket" in fields
    if is_ticket == ("to" in fields):
        at = fields.at_key("to") if is_ticket else fields.at
        reader.wrong(
            at, "an entry of notify tells somebody (to, template, …) or opens a ticket (ticket), one of both"
        )
    elif is_ticket:
        _check_ticket(fields, rule, reader)
    else:
        _check_message(fields, rule, reader)
    if isinstance(condition, MOMENTARY) and "resolve_on" not in rule and "every" in fields:
        message = f"'every' needs an end, and {word_of(condition)} without resolve_on is over at once: name what ends it in resolve_on"
        reader.wrong(fields.at_key("every"), message)
    if fields.get("on") == ["resolved"]:
        message = "expected [firing, resolved] or [firing]: nobody is told of an end whose beginning they were not told"
        reader.wrong(fields.at_value("on"), message)
    if fields.bad or len(reader.problems) > before:
        raise Unread
    entry = NotifyEntry(
        index=index,
        to=None if is_ticket else _destination(fields.get("to")),
        template=fields.get("template"),
        channels=cast("tuple[Channel, ...]", tuple(fields.get("channels", () if is_ticket else ("email",)))),
        category=fields.get("category", rule.get("category")),
        severity=fields.get("severity"),
        expires_s=fields.get("expires", rule.get("expires", EXPIRES_US)) / 1_000_000,
        resolves=not is_ticket and "resolved" in fields.get("on", ("firing", "resolved")),
        ticket=_ticket(fields.get("ticket")) if is_ticket else None,
    )
    place = reader.place(fields.at_value("ticket" if is_ticket else "template"))
    return Notify(entry, after_us=fields.get("after", 0), every_us=fields.get("every"), place=place)


def _check_ticket(fields: Fields, rule: Fields, reader: Reader) -> None:
    for name in ("template", "channels", "every", "on", "category", "expires"):
        if name in fields:
            reader.wrong(
                fields.at_key(name),
                f"{name!r} is for a message: an entry with 'ticket' opens one ticket",
                "misplaced-key",
            )
    if rule.get("scope") == "global":
        reader.wrong(
            fields.at_key("ticket"), "a ticket is a customer's: a rule with `scope: global` has none"
        )


def _check_message(fields: Fields, rule: Fields, reader: Reader) -> None:
    to = fields.get("to")
    if "template" not in fields:
        reader.wrong(
            fields.at,
            "an entry that tells somebody needs 'template', such as template: payment-failed",
            "missing-key",
        )
    if to in ("customer", "affected") and "channels" not in fields:
        reader.wrong(
            fields.at,
            "an entry that tells a customer needs 'channels', such as channels: [email]",
            "missing-key",
        )
    if isinstance(to, Fields) and fields.get("channels", ["email"]) != ["email"]:
        reader.wrong(fields.at_value("channels"), "expected [email]: the entry tells a fixed e-mail address")
    if to == "customer" and rule.get("scope") == "global":
        message = "under `scope: global` there is no one customer: expected affected or operations"
        reader.wrong(fields.at_value("to"), message)
    if to == "affected" and rule.get("affected") is not True and "affected" not in rule.bad:
        reader.wrong(
            fields.at_value("to"), "`to: affected` needs `affected: true` (and scope: global) on the rule"
        )


def _destination(to: Any) -> Destination:
    if isinstance(to, Fields):
        return Destination("email", to.get("email"))
    return Destination(to)


def _ticket(fields: Fields) -> TicketOrder:
    return TicketOrder(queue=fields.get("queue"), priority=fields.get("priority", "normal"))
