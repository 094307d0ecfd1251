"""What the `data` of each known event type holds. `catalogue` says which type has which.

A field that rules may want to compare is required only where no backend can fail to know it.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Amount = Annotated[float, msgspec.Meta(ge=0, description="in the currency's unit: 19.9 is 19.90 EUR")]
Quantity = Annotated[float, msgspec.Meta(ge=0)]
Moment = Annotated[
    datetime,
    msgspec.Meta(tz=True, description="RFC 3339 with the offset from UTC, such as 2026-01-31T18:00:00Z"),
]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", description="ISO 4217, such as EUR")]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$", description="ISO 3166-1, such as DE")]


class OrderPlaced(msgspec.Struct, frozen=True):
    order_id: Text
    promised_at: Moment | None = None
    total: Amount | None = None
    currency: Currency | None = None
    items: list[dict[str, Any]] = []


class OrderRescheduled(msgspec.Struct, frozen=True):
    """The promise was moved: `promised_at` is the new one."""

    order_id: Text
    promised_at: Moment
    reason: str | None = None


class OrderShipped(msgspec.Struct, frozen=True):
    """All of it, or with `order.partly_shipped` some; `items_left` is then how many are to follow."""

    order_id: Text
    carrier: str | None = None
    tracking_url: str | None = None
    items_left: Annotated[int, msgspec.Meta(ge=0)] | None = None


class OrderDelivered(msgspec.Struct, frozen=True):
    order_id: Text


class OrderCancelled(msgspec.Struct, frozen=True):
    order_id: Text
    reason: str | None = None


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """A parcel on its way. `international`: it crosses a border, and may take longer."""

    shipment_id: Text
    order_id: Text | None = None
    carrier: str | None = None
    tracking_url: str | None = None
    international: bool = False


class ShipmentEstimated(Shipment, frozen=True, kw_only=True):
    estimated_at: Moment


class ShipmentReady(Shipment, frozen=True, kw_only=True):
    """At a pick-up point, where it is kept until then."""

    point: str | None = None
    until: Moment | None = None


class ShipmentTrouble(Shipment, frozen=True, kw_only=True):
    reason: (
        Annotated[str, msgspec.Meta(description="such as invalid_address, damaged, customs, lost")] | None
    ) = None


class Card(msgspec.Struct, frozen=True):
    """`fingerprint` is the same for the same card, and is not its number."""

    brand: str | None = None
    last4: Annotated[str, msgspec.Meta(pattern="^[0-9]{4}$")] | None = None
    fingerprint: str | None = None


class PaymentFailed(msgspec.Struct, frozen=True):
    amount: Amount
    currency: Currency | None = None
    order_id: Text | None = None
    invoice_id: Text | None = None
    subscription_id: Text | None = None
    reason: Annotated[str, msgspec.Meta(description="such as insufficient_funds, expired_card")] | None = None
    card: Card | None = None


class PaymentSucceeded(msgspec.Struct, frozen=True):
    amount: Amount | None = None
    currency: Currency | None = None
    order_id: Text | None = None
    invoice_id: Text | None = None
    subscription_id: Text | None = None


class PaymentMethod(msgspec.Struct, frozen=True):
    """A card, say, that is kept for later payments. `replaces` is the `method_id` of the one whose place it takes."""

    method_id: Text
    card: Card | None = None
    expires_at: Moment | None = None
    replaces: Text | None = None


class Refund(msgspec.Struct, frozen=True):
    refund_id: Text
    order_id: Text | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    reason: str | None = None


class Subscription(msgspec.Struct, frozen=True):
    """The whole of it as it is from now on, or from `effective_at`: never a patch."""

    subscription_id: Text
    plan: str | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    period: Literal["week", "month", "quarter", "year"] | None = None
    trial_ends_at: Moment | None = None
    renews_at: Moment | None = None
    effective_at: Moment | None = None


class InvoiceUpcoming(msgspec.Struct, frozen=True):
    """What the next renewal will cost, told to the customer ahead."""

    subscription_id: Text
    amount: Amount
    currency: Currency | None = None
    due_at: Moment | None = None


class InvoiceCreated(msgspec.Struct, frozen=True):
    invoice_id: Text
    amount: Amount
    currency: Currency | None = None
    subscription_id: Text | None = None
    due_at: Moment | None = None


class ServiceRequest(msgspec.Struct, frozen=True):
    service: Text
    status: Annotated[int, msgspec.Meta(ge=100, le=599, description="HTTP status")]
    ms: Annotated[float, msgspec.Meta(ge=0, description="milliseconds until the answer")]
    path: str | None = None


class ServiceStatus(msgspec.Struct, frozen=True):
    service: Text
    status: Literal["operational", "degraded", "partial_outage", "major_outage", "maintenance"]
    says: str | None = None


class IntegrationSynced(msgspec.Struct, frozen=True):
    integration: Text


class WebhookReceived(msgspec.Struct, frozen=True):
    webhook: Text


class DeviceSeen(msgspec.Struct, frozen=True):
    """`every_s` is how often it promises to be seen, in seconds."""

    device: Text
    every_s: Annotated[float, msgspec.Meta(gt=0)] | None = None


class UsageStep(msgspec.Struct, frozen=True):
    step: Text
    outcome: Literal["started", "completed", "failed"]
    error: str | None = None


class UsageHelpOpened(msgspec.Struct, frozen=True):
    article: Text


class UsageClicked(msgspec.Struct, frozen=True):
    element: Text
    page: str | None = None


class UsageRecorded(msgspec.Struct, frozen=True):
    """A meter's reading: `used` of `quota` since the period began; `cost` is what this use alone costs."""

    meter: Text
    used: Quantity
    quota: Quantity | None = None
    period: str | None = None
    cost: Amount | None = None
    currency: Currency | None = None


class AccountCreated(msgspec.Struct, frozen=True):
    plan: str | None = None


class AccountChanged(msgspec.Struct, frozen=True):
    what: Literal["password", "email", "phone", "address", "name", "two_factor"]


class Invitation(msgspec.Struct, frozen=True):
    """The customer has invited somebody; `to` is a word for whom, such as a role, and no address."""

    invitation_id: Text
    to: str | None = None


class SessionSignedIn(msgspec.Struct, frozen=True):
    country: Country | None = None
    device: str | None = None


class TicketFact(msgspec.Struct, frozen=True):
    """A ticket without its texts. `by` is who did it."""

    ticket: Text
    queue: str = "support"
    priority: str = "normal"
    channel: str = "portal"
    topic: str | None = None
    alert: str | None = None
    by: Literal["customer", "agent", "alert"] | None = None


class MessageFact(msgspec.Struct, frozen=True):
    """A message without its text. `occasion` is what it tells: that an alert began or is over, or an agent's reply."""

    message: Text
    channel: str
    occasion: Literal["firing", "resolved", "replied"] | None = None
    rule: str | None = None
    alert: str | None = None
    reason: str | None = None


class Anything(msgspec.Struct, frozen=True):
    """Any JSON object, or none."""
