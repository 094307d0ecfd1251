"""What a record on a topic says, if it concerns this service. Pure: bytes in, a fact, None or Unreadable out.

Unreadable   the record can't be what its topic holds; says why, without the value: it may be somebody's address
"""

from dataclasses import dataclass

import msgspec

from contracts import alerts, envelope, topics
from contracts.catalogue import CATALOGUE
from contracts.envelope import EnvelopeError, Event
from contracts.records import Message, Profile

READ_TOPICS = (topics.SIGNALS, topics.ALERTS, topics.MESSAGES, topics.CUSTOMERS)
SHOWN = frozenset(kind.name for kind in CATALOGUE.values() if kind.timeline is not None)


class Unreadable(ValueError):  # noqa: N818 - says what it is
    pass


@dataclass(frozen=True, slots=True)
class SignalFact:
    event: Event
    customer: str


@dataclass(frozen=True, slots=True)
class AlertFact:
    transition: alerts.Transition
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class MessageFact:
    event: str
    message: Message
    customer: str


@dataclass(frozen=True, slots=True)
class ProfileFact:
    customer: str
    profile: Profile


@dataclass(frozen=True, slots=True)
class ErasedFact:
    customer: str


Fact = SignalFact | AlertFact | MessageFact | ProfileFact | ErasedFact


class _Head(msgspec.Struct):
    type: str


_head = msgspec.json.Decoder(_Head).decode


def fact_of(topic: str, key: bytes | None, value: bytes | None) -> Fact | None:
    """None: well, but nothing for a timeline or a ticket. `topic` is its name without a prefix. Raises Unreadable."""
    try:
        if topic == topics.CUSTOMERS.name:
            return _profile(key, value)
        if value is None:
            raise Unreadable(
                f"a record on {topic} has a value; null means something on compacted topics only"
            )
        if topic == topics.SIGNALS.name:
            return _signal(value)
        found = envelope.decode(value)
        return _transition(found) if topic == topics.ALERTS.name else _message(found)
    except EnvelopeError as error:
        raise Unreadable(str(error)) from None
    except msgspec.ValidationError as error:
        raise Unreadable(f"its data is not as {topic} has it: {error}") from None


def _signal(value: bytes) -> SignalFact | None:
    try:
        wanted = _head(value).type in SHOWN
    except (msgspec.DecodeError, UnicodeDecodeError):
        wanted = True  # the envelope says better what is wrong with it
    if not wanted:
        return None
    found = envelope.decode(value)
    return None if found.customerid is None else SignalFact(found, found.customerid)


def _transition(found: Event) -> AlertFact:
    traceparent = found.extensions.get("traceparent")
    return AlertFact(alerts.from_data(found.data), traceparent if isinstance(traceparent, str) else None)


def _message(found: Event) -> MessageFact | None:
    message = msgspec.convert(found.data, Message)
    return None if message.customer is None else MessageFact(found.id, message, message.customer)


def _profile(key: bytes | None, value: bytes | None) -> ProfileFact | ErasedFact:
    try:
        customer = (key or b"").decode()
    except UnicodeDecodeError:
        customer = ""
    if not customer:
        raise Unreadable("its key must be the customer's id")
    if value is None:
        return ErasedFact(customer)
    found = envelope.decode(value)
    if found.customerid != customer:
        raise Unreadable("its key and its customerid must be the same customer's")
    return ProfileFact(customer, msgspec.convert(found.data, Profile))
