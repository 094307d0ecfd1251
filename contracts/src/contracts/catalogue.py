"""The event types that are known: what their `data` holds, whom they concern, and whether a customer's timeline shows them.

Unknown types are welcome: they concern a customer, carry any data, and rules can use them; the catalogue only helps to
find mistakes early.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from contracts.envelope import FieldProblem
from contracts.records import Profile
from contracts.times import parse_time

_MAX_PROBLEMS = 100  # of one event: a long list of wrong things is told by its beginning
Concerns = Literal["customer", "customer or nobody", "nobody"]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Amount = Annotated[float, msgspec.Meta(ge=0, description="in the currency's unit: 19.9 is 19.90 EUR")]
Moment = Annotated[
    datetime,
    msgspec.Meta(tz=True, description="RFC 3339 with the offset from UTC, such as 2026-01-31T18:00:00Z"),
]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", description="ISO 4217, such as EUR")]


class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: Text
    promised_at: Moment | None = None
    total: Amount | None = None
    currency: Currency | None = None
    items: list[dict[str, Any]] = []


class OrderShipped(msgspec.Struct, frozen=True):
    order_id: Text
    carrier: str | None = None
    tracking_url: str | None = None


class OrderDelivered(msgspec.Struct, frozen=True):
    order_id: Text


class OrderCancelled(msgspec.Struct, frozen=True):
    order_id: Text
    reason: str | None = None


class Card(msgspec.Struct, frozen=True):
    brand: str | None = None
    last4: Annotated[str, msgspec.Meta(pattern="^[0-9]{4}$")] | None = None


class PaymentFailed(msgspec.Struct, frozen=True):
    amount: Amount
    currency: Currency | None = None
    order_id: Text | None = None
    invoice_id: Text | None = None
    reason: str | None = None
    card: Card | None = None


class PaymentSucceeded(msgspec.Struct, frozen=True):
    amount: Amount | None = None
    currency: Currency | None = None
    order_id: Text | None = None
    invoice_id: Text | None = None


class ServiceRequest(msgspec.Struct, frozen=True):
    service: Text
    status: Annotated[int, msgspec.Meta(ge=100, le=599, description="HTTP status")]
    ms: Annotated[float, msgspec.Meta(ge=0, description="milliseconds until the answer")]
    path: str | None = None


class UsageStep(msgspec.Struct, frozen=True):
    step: Text
    outcome: Literal["started", "completed", "failed"]
    error: str | None = None


class UsageHelpOpened(msgspec.Struct, frozen=True):
    article: Text


class TicketFact(msgspec.Struct, frozen=True):
    """A ticket without its texts."""

    ticket: Text
    queue: str = "support"
    priority: str = "normal"
    channel: str = "portal"
    topic: str | None = None
    alert: str | None = None


class MessageFact(msgspec.Struct, frozen=True):
    message: Text
    channel: str
    rule: str | None = None
    alert: str | None = None
    reason: str | None = None


class Anything(msgspec.Struct, frozen=True):
    """Any JSON object, or none."""


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
        EventType("order.cancelled", "An order was cancelled.", OrderCancelled, {"order_id": "o-1001", "reason": "changed mind"}, timeline="Order cancelled"),
        EventType("payment.failed", "A payment was refused.", PaymentFailed,
                  {"order_id": "o-1001", "amount": 59.9, "currency": "EUR", "reason": "insufficient_funds", "card": {"brand": "visa", "last4": "4242"}}, timeline="Payment failed"),
        EventType("payment.succeeded", "A payment went through.", PaymentSucceeded, {"order_id": "o-1001", "amount": 59.9, "currency": "EUR"}, timeline="Payment succeeded"),
        EventType("service.request", "A service answered a request.", ServiceRequest,
                  {"service": "checkout", "status": 503, "ms": 1250.5, "path": "/checkout/pay"}, concerns="customer or nobody"),
        EventType("usage.step", "A customer began, finished or failed at a step.", UsageStep,
                  {"step": "connect-bank", "outcome": "failed", "error": "timeout"}, timeline="Step"),
        EventType("usage.help_opened", "A customer opened a help page.", UsageHelpOpened, {"article": "connect-your-bank"}, timeline="Help opened"),
        EventType("customer.updated", "A customer's whole profile.", Profile,
                  {"email": "ada@example.com", "phone": "+4915112345678", "name": "Ada", "locale": "de-DE", "time_zone": "Europe/Berlin", "plan": "pro"}),
        EventType("customer.erased", "A customer is to be forgotten everywhere.", Anything, {}),
        EventType("ticket.opened", "A ticket was opened.", TicketFact, {"ticket": "6f1c2c36-43c6-4b0e-9f3c-0f3f2f4f7a10", "topic": "delivery"}),
        EventType("ticket.replied", "Somebody replied to a ticket.", TicketFact, {"ticket": "6f1c2c36-43c6-4b0e-9f3c-0f3f2f4f7a10"}),
        EventType("ticket.closed", "A ticket was closed.", TicketFact, {"ticket": "6f1c2c36-43c6-4b0e-9f3c-0f3f2f4f7a10"}),
        EventType("ticket.reopened", "A ticket was opened again.", TicketFact, {"ticket": "6f1c2c36-43c6-4b0e-9f3c-0f3f2f4f7a10"}),
        EventType("message.sent", "A message went out.", MessageFact, {"message": "1b4e28ba-2fa1-51d2-883f-0016d3cca427", "channel": "email", "rule": "order-late"}, concerns="customer or nobody"),
        EventType("message.failed", "A message could not be sent.", MessageFact,
                  {"message": "1b4e28ba-2fa1-51d2-883f-0016d3cca427", "channel": "sms", "rule": "order-late", "reason": "21211"}, concerns="customer or nobody"),
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
