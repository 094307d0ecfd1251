"""The event types that are known: what their `data` holds, whom they concern, and whether a customer's timeline shows them.

Unknown types are welcome: they concern a customer, carry any data, and rules can use them; the catalogue only helps to
find mistakes early.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Literal

import msgspec
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from contracts.envelope import FieldProblem
from contracts.event_data import (
    AccountChanged,
    AccountCreated,
    Anything,
    DeviceSeen,
    IntegrationSynced,
    Invitation,
    InvoiceCreated,
    InvoiceUpcoming,
    MessageFact,
    OrderCancelled,
    OrderDelivered,
    OrderPlaced,
    OrderRescheduled,
    OrderShipped,
    PaymentFailed,
    PaymentMethod,
    PaymentSucceeded,
    Refund,
    ServiceRequest,
    ServiceStatus,
    SessionSignedIn,
    Shipment,
    ShipmentEstimated,
    ShipmentReady,
    ShipmentTrouble,
    Subscription,
    TicketFact,
    UsageClicked,
    UsageHelpOpened,
    UsageRecorded,
    UsageStep,
    WebhookReceived,
)
from contracts.records import Profile
from contracts.times import parse_time

_MAX_PROBLEMS = 100  # of one event: a long list of wrong things is told by its beginning
Concerns = Literal["customer", "customer or nobody", "nobody"]


@dataclass(frozen=True, slots=True)
class EventType:
    """A known type. `timeline` is the line that a customer's timeline shows for it; None keeps it out."""

    name: str
    says: str
    data: type[msgspec.Struct]
    example: dict[str, Any]
    concerns: Concerns = "customer"
    timeline: str | None = None


CATALOGUE: dict[str, EventType] = {
    kind.name: kind
    for kind in (
        EventType("order.placed", "An order was placed.", OrderPlaced,
                  {"order_id": "o-1001", "promised_at": "2026-01-09T18:00:00Z", "total": 59.9, "currency": "EUR"}, timeline="Order placed"),
        EventType("order.shipped", "An order left the warehouse.", OrderShipped,
                  {"order_id": "o-1001", "carrier": "DHL", "tracking_url": "https://track.example/1001"}, timeline="Order shipped"),
        EventType("order.delivered", "An order reached the customer.", OrderDelivered, {"order_id": "o-1001"}, timeline="Order delivered"),
        EventType("order.rescheduled", "An order is promised for another time than before.", OrderRescheduled,
                  {"order_id": "o-1001", "promised_at": "2026-01-12T18:00:00Z", "reason": "sold out"}, timeline="Order rescheduled"),
        EventType("order.partly_shipped", "A part of an order left the warehouse, the rest is to follow.", OrderShipped,
                  {"order_id": "o-1001", "carrier": "DHL", "items_left": 2}, timeline="Order shipped in part"),
        EventType("order.cancelled", "An order was cancelled.", OrderCancelled, {"order_id": "o-1001", "reason": "changed mind"}, timeline="Order cancelled"),
        EventType("shipment.created", "A label was made for a parcel.", Shipment,
                  {"shipment_id": "s-77", "order_id": "o-1001", "carrier": "DHL", "tracking_url": "https://track.example/77"}, timeline="Label made"),
        EventType("shipment.manifested", "The carrier was told to collect a parcel.", Shipment, {"shipment_id": "s-77", "carrier": "DHL"}),
        EventType("shipment.scanned", "The carrier saw a parcel on its way.", Shipment,
                  {"shipment_id": "s-77", "order_id": "o-1001", "carrier": "DHL", "international": True}, timeline="Parcel scanned"),
        EventType("shipment.estimated", "The carrier said when a parcel is to arrive.", ShipmentEstimated,
                  {"shipment_id": "s-77", "order_id": "o-1001", "estimated_at": "2026-01-09T18:00:00Z"}, timeline="Arrival estimated"),
        EventType("shipment.out_for_delivery", "A parcel is to arrive today.", Shipment, {"shipment_id": "s-77", "carrier": "DHL"}, timeline="Out for delivery"),
        EventType("shipment.delivery_failed", "A parcel could not be handed over.", ShipmentTrouble,
                  {"shipment_id": "s-77", "carrier": "DHL", "reason": "nobody at home"}, timeline="Delivery failed"),
        EventType("shipment.ready_for_pickup", "A parcel waits at a pick-up point.", ShipmentReady,
                  {"shipment_id": "s-77", "point": "Kiosk Main St 1", "until": "2026-01-16T18:00:00Z"}, timeline="Ready for pick-up"),
        EventType("shipment.exception", "The carrier is in trouble with a parcel.", ShipmentTrouble,
                  {"shipment_id": "s-77", "carrier": "DHL", "reason": "invalid_address"}, timeline="Trouble with the parcel"),
        EventType("shipment.returned", "A parcel goes back to its sender.", ShipmentTrouble,
                  {"shipment_id": "s-77", "carrier": "DHL", "reason": "not collected"}, timeline="Parcel goes back"),
        EventType("shipment.delivered", "A parcel reached the customer.", Shipment, {"shipment_id": "s-77", "order_id": "o-1001"}, timeline="Parcel delivered"),
        EventType("payment.failed", "A payment was refused.", PaymentFailed,
                  {"order_id": "o-1001", "amount": 59.9, "currency": "EUR", "reason": "insufficient_funds", "card": {"brand": "visa", "last4": "4242"}}, timeline="Payment failed"),
        EventType("payment.succeeded", "A payment went through.", PaymentSucceeded, {"order_id": "o-1001", "amount": 59.9, "currency": "EUR"}, timeline="Payment succeeded"),
        EventType("payment_method.saved", "A card, or another way to pay, is kept for later payments.", PaymentMethod,
                  {"method_id": "pm-2", "card": {"brand": "visa", "last4": "4242"}, "expires_at": "2026-03-01T00:00:00Z", "replaces": "pm-1"},
                  timeline="Payment method saved"),
        EventType("payment_method.removed", "A kept way to pay was removed.", PaymentMethod, {"method_id": "pm-1"}, timeline="Payment method removed"),
        EventType("refund.requested", "Money is to be paid back.", Refund,
                  {"refund_id": "r-5", "order_id": "o-1001", "amount": 59.9, "currency": "EUR", "reason": "damaged"}, timeline="Refund requested"),
        EventType("refund.paid", "Money was paid back.", Refund, {"refund_id": "r-5", "order_id": "o-1001", "amount": 59.9, "currency": "EUR"}, timeline="Refund paid"),
        EventType("refund.declined", "Money is not paid back.", Refund, {"refund_id": "r-5", "reason": "too late"}, timeline="Refund declined"),
        EventType("subscription.started", "A subscription, or a trial of one, began.", Subscription,
                  {"subscription_id": "sub-9", "plan": "pro", "amount": 20.0, "currency": "EUR", "period": "month", "trial_ends_at": "2026-01-23T12:00:00Z"},
                  timeline="Subscription started"),
        EventType("subscription.changed", "A subscription was renewed, or has other terms.", Subscription,
                  {"subscription_id": "sub-9", "plan": "pro", "amount": 24.0, "currency": "EUR", "period": "month", "effective_at": "2026-03-01T00:00:00Z"},
                  timeline="Subscription changed"),
        EventType("subscription.cancelled", "A subscription will not be renewed.", Subscription, {"subscription_id": "sub-9"}, timeline="Subscription cancelled"),
        EventType("invoice.upcoming", "A renewal was announced to the customer.", InvoiceUpcoming,
                  {"subscription_id": "sub-9", "amount": 20.0, "currency": "EUR", "due_at": "2026-02-01T00:00:00Z"}, timeline="Renewal announced"),
        EventType("invoice.created", "An invoice was made.", InvoiceCreated,
                  {"invoice_id": "in-31", "subscription_id": "sub-9", "amount": 20.0, "currency": "EUR", "due_at": "2026-02-01T00:00:00Z"}, timeline="Invoice made"),
        EventType("service.request", "A service answered a request.", ServiceRequest,
                  {"service": "checkout", "status": 503, "ms": 1250.5, "path": "/checkout/pay"}, concerns="customer or nobody"),
        EventType("service.status", "The status page says of a service how it is.", ServiceStatus,
                  {"service": "checkout", "status": "partial_outage", "says": "Some payments fail."}, concerns="nobody"),
        EventType("integration.synced", "An integration of the customer's exchanged data with us.", IntegrationSynced, {"integration": "warehouse"}),
        EventType("webhook.received", "A webhook of the customer's was called.", WebhookReceived, {"webhook": "orders"}),
        EventType("device.seen", "A device of the customer's gave a sign of life.", DeviceSeen, {"device": "till-3", "every_s": 60.0}),
        EventType("account.created", "A customer signed up.", AccountCreated, {"plan": "trial"}, timeline="Signed up"),
        EventType("account.changed", "Something of the account was changed.", AccountChanged, {"what": "password"}, timeline="Account changed"),
        EventType("session.signed_in", "Somebody signed in.", SessionSignedIn, {"country": "DE", "device": "Firefox on Linux"}),
        EventType("invitation.sent", "A customer invited somebody.", Invitation, {"invitation_id": "i-3", "to": "accountant"}, timeline="Invited somebody"),
        EventType("invitation.accepted", "Somebody who was invited came.", Invitation, {"invitation_id": "i-3"}, timeline="Invitation accepted"),
        EventType("usage.step", "A customer began, finished or failed at a step.", UsageStep,
                  {"step": "connect-bank", "outcome": "failed", "error": "timeout"}, timeline="Step"),
        EventType("usage.help_opened", "A customer opened a help page.", UsageHelpOpened, {"article": "connect-your-bank"}, timeline="Help opened"),
        EventType("usage.clicked", "A customer clicked something.", UsageClicked, {"element": "save", "page": "/settings"}),
        EventType("usage.recorded", "A meter was read.", UsageRecorded,
                  {"meter": "messages", "used": 8100.0, "quota": 10000.0, "period": "2026-01", "cost": 1.25, "currency": "EUR"}),
        EventType("customer.updated", "A customer's whole profile.", Profile,
                  {"email": "ada@example.com", "phone": "+4915112345678", "name": "Ada", "locale": "de-DE", "time_zone": "Europe/Berlin", "plan": "pro"}),
        EventType("customer.erased", "A customer is to be forgotten everywhere.", Anything, {}),
        EventType("ticket.opened", "A ticket was opened.", TicketFact, {"ticket": "6f1c2c36-43c6-4b0e-9f3c-0f3f2f4f7a10", "topic": "delivery"}),
        EventType("ticket.replied", "Somebody replied to a ticket.", TicketFact, {"ticket": "6f1c2c36-43c6-4b0e-9f3c-0f3f2f4f7a10", "by": "agent"}),
        EventType("ticket.closed", "A ticket was closed.", TicketFact, {"ticket": "6f1c2c36-43c6-4b0e-9f3c-0f3f2f4f7a10"}),
        EventType("ticket.reopened", "A ticket was opened again.", TicketFact, {"ticket": "6f1c2c36-43c6-4b0e-9f3c-0f3f2f4f7a10"}),
        EventType("message.sent", "A message went out.", MessageFact, {"message": "1b4e28ba-2fa1-51d2-883f-0016d3cca427", "channel": "email", "occasion": "firing", "rule": "order-late"}, concerns="customer or nobody"),
        EventType("message.failed", "A message could not be sent.", MessageFact,
                  {"message": "1b4e28ba-2fa1-51d2-883f-0016d3cca427", "channel": "sms", "occasion": "firing", "rule": "order-late", "reason": "21211"}, concerns="customer or nobody"),
    )
}  # fmt: skip


def problems_of(type_name: str, customer: str | None, data: Any) -> list[FieldProblem]:
    """What is wrong with an event of this type, every wrong field; empty if nothing is, or nothing is known of the type."""
    kind = CATALOGUE.get(type_name)
    concerns: Concerns = "customer" if kind is None else kind.concerns
    problems = []
    if concerns == "customer" and customer is None:
        problems.append(
            FieldProblem(
                "/customerid", f"is missing: {type_name} concerns a customer; give the customer's id"
            )
        )
    if concerns == "nobody" and customer is not None:
        problems.append(
            FieldProblem("/customerid", f"is not for {type_name}, which concerns no single customer")
        )
    if kind is not None:
        problems += _problems_of_data(kind, {} if data is None else data)
    return problems


def _problems_of_data(kind: EventType, data: Any) -> Iterator[FieldProblem]:
    try:
        msgspec.convert(data, kind.data)
    except msgspec.ValidationError as first:
        errors = islice(_validator(kind.name).iter_errors(data), _MAX_PROBLEMS)
        found = [_said(_inner(error)) for error in errors]
        # msgspec refuses what JSON Schema lets pass, such as a number that fits no double
        yield from sorted(found, key=lambda problem: problem.field) or [_said_by_msgspec(str(first))]


def _inner(error: ValidationError) -> ValidationError:
    """Of "none of these schemas", the error under the one that is not null."""
    while error.validator == "anyOf" and error.context:
        error = next((e for e in error.context if e.validator_value != "null"), error.context[0])
    return error


def _said(error: ValidationError) -> FieldProblem:
    """The problem in words, without the value: it may be somebody's address."""
    path = ["data", *map(str, error.absolute_path)]
    wanted: Any = error.validator_value
    match error.validator:
        case "required":
            path.append(error.message.split("'")[1])
            says = "is missing"
        case "type":
            says = f"must be {'an' if wanted[0] in 'aio' else 'a'} {wanted}"
        case "enum":
            says = "must be one of " + ", ".join(map(str, wanted))
        case "pattern":
            says = f"must match {wanted}"
        case "format":
            says = f"must be a {wanted}"
        case "minimum" | "maximum":
            says = f"must be at {'least' if error.validator == 'minimum' else 'most'} {wanted}"
        case "minLength" | "maxLength":
            says = f"must have at {'least' if error.validator == 'minLength' else 'most'} {wanted} characters"
        case _:
            says = f"is not as the schema's {error.validator} wants it"
    about = error.schema.get("description") if isinstance(error.schema, dict) else None
    return FieldProblem("/" + "/".join(path), f"{says} ({about})" if about else says)


def _said_by_msgspec(message: str) -> FieldProblem:
    """Its messages end with the place: Number out of range - at `$.card.last4[0]`."""
    says, _, place = message.partition(" - at `$")
    return FieldProblem(
        "/data" + re.sub(r"\.|\[", "/", place).replace("]", "").rstrip("`"), f"is wrong: {says}"
    )


def schema_of(kind: EventType) -> dict[str, Any]:
    """The JSON Schema (2020-12) of the type's `data`."""
    return msgspec.json.schema(kind.data)


@cache
def _validator(name: str) -> Draft202012Validator:
    # a checker of our own: jsonschema's takes date-time only with packages that are slow to import
    formats = FormatChecker(formats=())
    formats.checks("date-time", raises=ValueError)(_is_time)
    return Draft202012Validator(schema_of(CATALOGUE[name]), format_checker=formats)


def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(parse_time(value))
