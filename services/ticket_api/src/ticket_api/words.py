"""What the page says: names, values, times and fates in words that an agent understands. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from contracts.times import parse_time
from ticket_api.story import AlertItem, Item, MessageItem, StepShown


@dataclass(frozen=True, slots=True)
class Clock:
    """Times as the clock shows them in a zone; `now` tells today from yesterday."""

    now: datetime
    zone: tzinfo
    zone_name: str

    def time(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%H:%M}"

    def day(self, at: datetime) -> str:
        found = at.astimezone(self.zone).date()
        today = self.now.astimezone(self.zone).date()
        told = f"{found:%A} {found.day} {found:%B}"
        if found.year != today.year:
            told += f" {found.year}"
        near = {today: "Today, ", today - timedelta(days=1): "Yesterday, "}
        return near.get(found, "") + told

    def moment(self, at: datetime, *, beside: datetime | None = None) -> str:
        """Day and time; the time alone where `beside` is of the same day."""
        local = at.astimezone(self.zone)
        if beside is not None and beside.astimezone(self.zone).date() == local.date():
            return f"{local:%H:%M}"
        year = "" if local.year == self.now.astimezone(self.zone).year else f" {local.year}"
        return f"{local.day} {local:%b}{year}, {local:%H:%M}"


def clock_of(profile: Mapping[str, Any] | None, now: datetime) -> Clock:
    """The customer's clock, or UTC where their zone is not known."""
    name = (profile or {}).get("time_zone")
    if isinstance(name, str):
        try:
            return Clock(now, ZoneInfo(name), name)
        except (KeyError, ValueError, OSError):
            pass  # a zone that this machine does not have
    return Clock(now, ZoneInfo("UTC"), "UTC")


def by_day(items: Iterable[Item], clock: Clock) -> list[tuple[str, list[Item]]]:
    """Items under their days, in the order in which they come."""
    days: list[tuple[date, list[Item]]] = []
    for item in items:
        day = item.at.astimezone(clock.zone).date()
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(item)
    return [(clock.day(found[0].at), found) for _, found in days]


def facts(data: Any, clock: Clock) -> list[tuple[str, str]]:
    """The fields of an event's data or of an alert's `vars`, each with its name, an amount with its currency."""
    return list(_facts(data, clock)) if isinstance(data, Mapping) else []


def _facts(data: Mapping[str, Any], clock: Clock) -> Iterator[tuple[str, str]]:
    currency = data.get("currency")
    money = next((name for name in ("amount", "total") if isinstance(data.get(name), int | float)), None)
    for name, value in data.items():
        if value is None or value in ("", [], {}) or (name == "currency" and money):
            continue
        if name == money:
            yield label(name), f"{value:,.2f} {currency or ''}".rstrip()
        else:
            yield label(name), plain(value, clock)


def label(name: str) -> str:
    """`promised_at` is read as "promised", `order_id` as "order"."""
    return name.removesuffix("_at").removesuffix("_id").replace("_", " ").strip() or name


def plain(value: Any, clock: Clock) -> str:
    """A JSON value as people write it; texts that are times as the clock shows them."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.2f}"
        case str():
            try:
                return clock.moment(parse_time(value))
            except ValueError:
                return value
        case list():
            return ", ".join(plain(each, clock) for each in value)
        case dict():
            return ", ".join(f"{label(str(name))} {plain(each, clock)}" for name, each in value.items())
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


_CHANNELS = {"email": "E-mail", "sms": "Text message", "inapp": "In-app message", "webhook": "Webhook call"}
_FATES = {
    "queued": "waiting to go out",
    "held": "held back",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
    "suppressed": "not sent",
    "expired": "not sent, too late",
}
_GOOD = frozenset({"sent", "delivered", "read"})
_BAD = frozenset({"failed", "expired"})


def medium(message: MessageItem) -> str:
    return _CHANNELS.get(message.channel, message.channel)


def recipient(message: MessageItem, customer: str) -> str:
    if message.recipient == customer:
        return "to the customer"
    return "to operations" if message.recipient == "operations" else f"to {message.recipient}"


def fate(message: MessageItem) -> str:
    return _FATES[message.fate] + (", possibly twice" if message.possibly_twice else "")


def fate_tone(message: MessageItem) -> str:
    return "good" if message.fate in _GOOD else "bad" if message.fate in _BAD else "plain"


def alert_state(alert: AlertItem) -> str:
    """The alert's state on its badge."""
    if alert.firing:
        return "Still firing"
    if alert.state == "resolved":
        return "Resolved"
    return "Ended" if alert.state == "ended" else "Noticed"


def alert_facts(alert: AlertItem, customer: str, clock: Clock) -> list[tuple[str, str]]:
    """What the alert is about: its key, where nothing else says it, its value and its vars."""
    key = alert.key if isinstance(alert.key, str) else ", ".join(alert.key)
    about = [] if key in {"", customer} or key in alert.vars.values() else [("concerns", key)]
    value = [] if alert.value is None else [("value", plain(alert.value, clock))]
    return about + value + facts(alert.vars, clock)


def course(alert: AlertItem) -> list[tuple[StepShown | None, list[MessageItem]]]:
    """Each step with the messages that told of it; last, without a step, those that say not of which."""
    seqs = [step.seq for step in alert.steps]
    with_steps: list[tuple[StepShown | None, list[MessageItem]]] = [
        (step, [one for one in alert.messages if one.seq == step.seq]) for step in alert.steps
    ]
    return [*with_steps, (None, [one for one in alert.messages if one.seq not in seqs])]


def step(told: StepShown, alert: AlertItem) -> str:
    """What a transition of the alert means."""
    if told.state == "resolved":
        return "Resolved by an event" if told.how == "event" else "Resolved: what it watches is well again"
    return {
        "firing": "Fired" if len(alert.steps) > 1 or alert.firing else "Noticed",
        "due": "Still so: the next notice fell due",
    }.get(told.state, "Ended without an all-clear")


WHO = {"customer": "Customer", "agent": "Agent", "alert": "Beforehand"}
DID = {
    "opened": "opened it",
    "replied": "replied",
    "closed": "closed it",
    "reopened": "opened it again",
    "noted": "noted",
}
TICKET_STATES = {"open": "Open: the desk's turn", "waiting": "Waiting for the customer", "closed": "Closed"}
