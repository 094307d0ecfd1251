"""The scenario: a bad day at Kettle & Cup, a small shop. Pure: a start, a tag and a speed in, timed acts out.

It rests on the rules in rules/; the durations below are theirs. The rules' clock is the events' own time, so that an
order placed three days ago is one event with that time, and its deadline passes while the demo runs. What no story
may need is a clock that is behind the wall's: everybody's profile comes first, at the present time, and takes the
clocks of all their partitions there.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from beforehand.demo.story import Act, Expected, OpenTicket, Person, Publish, Scenario, Story
from contracts.records import Profile
from contracts.times import format_time

COMPANY = "Kettle & Cup <hello@kettle.example>"
OPERATIONS = "operations@kettle.example"
SOURCE = "/kettle-and-cup"

# From rules/: how long a customer may take to pay, the warehouse to ship, and the carrier beyond its promise.
PAY_WITHIN = timedelta(minutes=10)
SHIP_WITHIN = timedelta(hours=72)
LATE_AFTER = timedelta(hours=2)

# The outage takes as long at any speed: its rule judges a minute every ten seconds, and the good requests after it must
# be enough to bring the failed ones' share below a fifth.
OUTAGE_AT_S = 14.0
OUTAGE = timedelta(seconds=20)
FAILING_S, FAILING_A_SECOND = 16, 8
MENDED_S, MENDED_A_SECOND = 8, 50


class Day:
    """The clock and the people of one run. `tag` keeps its customers and orders apart from those of other runs."""

    def __init__(self, start: datetime, tag: str, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._tag = tag
        self._ids = count(1)
        digits = int(tag) % 100
        self.anna = self._person("Anna", "en-GB", "Europe/London", f"+4477009001{digits:02}")
        self.ben = self._person("Ben", "en-US", "America/New_York")
        self.clara = self._person("Clara", "de-DE", "Europe/Berlin")
        self.david = self._person("David", "en-GB", "Europe/London")
        self.emil = self._person("Emil", "de-AT", "Europe/Vienna", f"+4917139200{digits:02}")
        self.fay = self._person("Fay", "en-IE", "Europe/Dublin")
        self.greta = self._person("Greta", "de-DE", "Europe/Berlin")
        self.hugo = self._person("Hugo", "de-CH", "Europe/Zurich")
        self.ines = self._person("Ines", "en-GB", "Europe/Lisbon")
        self.jonas = self._person("Jonas", "de-DE", "Europe/Berlin")
        self.people = [one for one in vars(self).values() if isinstance(one, Person)]

    def at(self, seconds: float) -> datetime:
        """So many seconds after the start, at speed 1."""
        return self._start + timedelta(seconds=seconds / self._speed)

    def order(self, number: int) -> str:
        return f"K{self._tag}{number}"

    def event(self, type_: str, time: datetime, who: Person | None = None, **data: Any) -> dict[str, Any]:
        """A CloudEvent in JSON; times in its data are written as RFC 3339 has them."""
        customer = {"customerid": who.id} if who else {}
        said = {
            name: format_time(value) if isinstance(value, datetime) else value for name, value in data.items()
        }
        return {
            "specversion": "1.0",
            "id": f"{self._tag}-{next(self._ids)}",
            "source": SOURCE,
            "type": type_,
            "time": format_time(time),
            **customer,
            "data": said,
        }

    def publish(self, seconds: float, says: str, event: dict[str, Any], who: Person | None = None) -> Publish:
        return Publish(self.at(seconds), [event], says, who)

    def _person(self, name: str, locale: str, time_zone: str, phone: str | None = None) -> Person:
        id_ = f"{name.lower()}-{self._tag}"
        email = f"{name.lower()}.{self._tag}@example.com"
        return Person(
            id_, name, Profile(name=name, email=email, phone=phone, locale=locale, time_zone=time_zone)
        )


def small_shop(start: datetime, tag: str, speed: float = 1.0) -> Scenario:
    """The whole day from `start` on; `tag` is a number of up to six digits; speed 2 plays it in half the time."""
    day = Day(start, tag, speed)
    stories = [
        stuck_at_setup(day),
        card_refused(day),
        card_refused_then_paid(day),
        not_shipped(day),
        shipped_in_time(day),
        late_then_delivered(day),
        *checkout_outage(day),
        asks_twice(day),
    ]
    return Scenario(stories, [profiles(day), *checkout_traffic(day)])


def profiles(day: Day) -> Act:
    events = [
        day.event("customer.updated", day.at(0), who, **msgspec.to_builtins(who.profile))
        for who in day.people
    ]
    return Publish(day.at(0), events, f"{len(events)} customers, with their languages and addresses")


def stuck_at_setup(day: Day) -> Story:
    """Three failures at one step within half an hour."""
    who = day.ines
    acts = [
        day.publish(
            seconds,
            f"usage.step: connect-bank failed ({error})",
            day.event("usage.step", day.at(seconds), who, step="connect-bank", outcome="failed", error=error),
            who,
        )
        for seconds, error in ((0.5, "timeout"), (1.5, "wrong PIN"), (2.5, "timeout"))
    ]
    expected = [Expected("email", _email(who), day.at(2.5), ("connect bank",))]
    return Story(who, "failed three times at the same setup step", acts, expected)


def card_refused(day: Day) -> Story:
    who, order, due = day.anna, day.order(1), day.at(9)
    failed = day.event(
        "payment.failed", due - PAY_WITHIN, who,
        order_id=order, amount=59.9, currency="EUR", reason="card_declined", card={"brand": "visa", "last4": "4242"},
    )  # fmt: skip
    acts = [day.publish(3, f"payment.failed: {order}, 59.90 EUR, almost ten minutes ago", failed, who)]
    return Story(
        who, "card refused, not paid in 10 minutes", acts, [Expected("email", _email(who), due, (order,))]
    )


def card_refused_then_paid(day: Day) -> Story:
    who, order, due = day.ben, day.order(2), day.at(14)
    failed = day.event(
        "payment.failed", due - PAY_WITHIN, who,
        order_id=order, amount=24.5, currency="EUR", reason="insufficient_funds", card={"brand": "mastercard", "last4": "5454"},
    )  # fmt: skip
    paid = day.event("payment.succeeded", day.at(8), who, order_id=order, amount=24.5, currency="EUR")
    acts = [
        day.publish(4, f"payment.failed: {order}, 24.50 EUR, almost ten minutes ago", failed, who),
        day.publish(8, f"payment.succeeded: {order}, in time", paid, who),
    ]
    return Story(who, "card refused, paid in time", acts, quiet_until=due)


def not_shipped(day: Day) -> Story:
    who, order, due = day.clara, day.order(3), day.at(11)
    placed = day.event(
        "order.placed",
        due - SHIP_WITHIN,
        who,
        order_id=order,
        total=129.0,
        currency="EUR",
        promised_at=day.at(0) + timedelta(days=2),
    )
    acts = [day.publish(5, f"order.placed: {order}, almost 72 hours ago", placed, who)]
    return Story(who, "order not shipped in 72 hours", acts, [Expected("email", _email(who), due, (order,))])


def shipped_in_time(day: Day) -> Story:
    who, order, due = day.david, day.order(4), day.at(16)
    placed = day.event(
        "order.placed",
        due - SHIP_WITHIN,
        who,
        order_id=order,
        total=38.0,
        currency="GBP",
        promised_at=day.at(0) + timedelta(days=2),
    )
    shipped = day.event("order.shipped", day.at(10), who, order_id=order, carrier="Royal Mail")
    acts = [
        day.publish(6, f"order.placed: {order}, almost 72 hours ago", placed, who),
        day.publish(10, f"order.shipped: {order}, in time", shipped, who),
    ]
    return Story(who, "order shipped just in time", acts, quiet_until=due)


def late_then_delivered(day: Day) -> Story:
    who, order, due = day.emil, day.order(5), day.at(18)
    placed = day.event(
        "order.placed", day.at(0) - timedelta(hours=50), who,
        order_id=order, total=74.0, currency="EUR", promised_at=due - LATE_AFTER,
    )  # fmt: skip
    shipped = day.event("order.shipped", day.at(0) - timedelta(hours=30), who, order_id=order, carrier="DHL")
    delivered = day.event("order.delivered", day.at(36), who, order_id=order)
    acts = [
        Publish(
            day.at(7),
            [placed, shipped],
            f"order.placed and shipped: {order}, promised for two hours ago",
            who,
        ),
        day.publish(36, f"order.delivered: {order}, at last", delivered, who),
    ]
    phone = who.profile.phone or ""
    expected = [
        Expected("email", _email(who), due, (order,)),
        Expected("sms", phone, due, (order,)),
        Expected("email", _email(who), day.at(36), (order,), answers=0),
        Expected("sms", phone, day.at(36), (order,)),
    ]
    return Story(who, "order late against its promised date, then delivered", acts, expected)


def checkout_outage(day: Day) -> list[Story]:
    """Who runs into it, who does not, and those who have to mend it; the rest of the traffic is nobody's story."""
    begins, ends = day.at(OUTAGE_AT_S), day.at(OUTAGE_AT_S) + OUTAGE
    stories = []
    for who, after_s in ((day.fay, 1.0), (day.greta, 3.0)):
        at = begins + timedelta(seconds=after_s)
        acts = [Publish(at, [_checkout(day, at, 503, who)], "service.request: the checkout answers 503", who)]
        expected = [
            Expected("email", _email(who), at, ("heckout",)),
            Expected("email", _email(who), ends, ("heckout",), answers=0),
        ]
        stories.append(Story(who, "ran into an outage of the checkout", acts, expected))
    at = begins + timedelta(seconds=2)
    fine = Publish(
        at, [_checkout(day, at, 200, day.hugo)], "service.request: the checkout answers 200", day.hugo
    )
    stories.append(Story(day.hugo, "was lucky during the outage", [fine], quiet_until=ends))
    operations = Person("operations", "operations", Profile())
    told = [
        Expected("email", OPERATIONS, begins, ("heckout",)),
        Expected("email", OPERATIONS, ends, ("heckout",), answers=0),
    ]
    return [*stories, Story(operations, "have an outage to mend", [], told)]


def checkout_traffic(day: Day) -> list[Act]:
    """Visitors who are not signed in: one request in two fails for a while, then none."""
    begins, ends = day.at(OUTAGE_AT_S), day.at(OUTAGE_AT_S) + OUTAGE
    failing = [
        _traffic(day, begins + timedelta(seconds=second), FAILING_A_SECOND, failing=True)
        for second in range(FAILING_S)
    ]
    fine = [
        _traffic(day, ends + timedelta(seconds=second), MENDED_A_SECOND, failing=False)
        for second in range(MENDED_S)
    ]
    failing[0] = replace(failing[0], says="service.request: every second visitor of the checkout gets 503")
    fine[0] = replace(fine[0], says="service.request: the checkout answers everybody again")
    return [*failing, *fine]


def _traffic(day: Day, begins: datetime, requests: int, *, failing: bool) -> Publish:
    """The requests of one second, published when it is over."""
    second = timedelta(seconds=1)
    events = [
        _checkout(day, begins + second * i / requests, 503 if failing and i % 2 else 200)
        for i in range(requests)
    ]
    return Publish(begins + second, events, "")


def asks_twice(day: Day) -> Story:
    """Tickets come by ticket_api's own way: its fact goes to the topic `events`, and back as a signal."""
    who, order = day.jonas, day.order(6)
    tickets = [
        (20, "Wo ist meine Rechnung?", f"Ich brauche die Rechnung zu {order}."),
        (24, "Noch einmal: die Rechnung", f"Zur Bestellung {order} fehlt sie mir immer noch."),
    ]
    acts = [
        OpenTicket(
            day.at(seconds),
            {"customer": who.id, "subject": subject, "text": text, "topic": "billing"},
            f"a ticket is opened: “{subject}”",
            who,
        )
        for seconds, subject, text in tickets
    ]
    return Story(who, "had to ask twice in a week", acts, [Expected("email", _email(who), day.at(24), ())])


def _checkout(day: Day, at: datetime, status: int, who: Person | None = None) -> dict[str, Any]:
    return day.event(
        "service.request", at, who,
        service="checkout", status=status, ms=30_000.0 if status >= 500 else 180.0, path="/checkout/pay",
    )  # fmt: skip


def _email(who: Person) -> str:
    assert who.profile.email
    return who.profile.email
