"""CloudEvents 1.0 in JSON: the form of every message on every topic (structured mode, https://cloudevents.io).

EnvelopeError
└── lists every wrong field, each with what was expected
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from contracts.times import format_time, parse_time

CONTENT_TYPE = "application/cloudevents+json"
HEADERS = [("content-type", CONTENT_TYPE.encode())]
MAX_BYTES = 1_000_000  # of one event: below Kafka's default message.max.bytes with room for headers

_CORE = frozenset(
    {"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "data"}
)
_NAME = re.compile(r"[a-z0-9]{1,40}", re.ASCII)
_JSON_TYPE = re.compile(r"application/([a-z0-9.+-]+\+)?json\b", re.IGNORECASE)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field: its JSON pointer (RFC 6901), and what is wrong with it and how to mend it."""

    field: str
    problem: str


class EnvelopeError(ValueError):
    def __init__(self, problems: list[FieldProblem]) -> None:
        super().__init__("; ".join(f"{p.field or 'the event'}: {p.problem}" for p in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One CloudEvent. `time` is in UTC; `customerid` is our extension: the customer whom the event concerns.

    `extensions` holds every other extension attribute (such as `traceparent`) as it came.
    """

    id: str
    source: str
    type: str
    time: datetime
    data: Any = None
    customerid: str | None = None
    subject: str | None = None
    dataschema: str | None = None
    extensions: Mapping[str, str | int | bool]

    @property
    def key(self) -> bytes:
        """The Kafka key on topics keyed by customer; the source, where no customer is concerned."""
        return (self.source if self.customerid is None else self.customerid).encode()


def event(
    *, id: str, source: str, type: str, time: datetime, data: Any, customerid: str | None = None,
    subject: str | None = None, **extensions: str | int | bool,
) -> Event:  # fmt: skip
    """An event of our own making; extension attributes as keywords."""
    return Event(
        id=id, source=source, type=type, time=time, data=data, customerid=customerid, subject=subject,
        extensions=extensions,
    )  # fmt: skip


def encode(event: Event) -> bytes:
    """The event in CloudEvents' JSON format; attributes that are not set are left out."""
    out: dict[str, Any] = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "time": format_time(event.time),
    }
    if event.subject is not None:
        out["subject"] = event.subject
    if event.customerid is not None:
        out["customerid"] = event.customerid
    if event.dataschema is not None:
        out["dataschema"] = event.dataschema
    out.update(event.extensions)
    if event.data is not None:
        out["datacontenttype"] = "application/json"
        out["data"] = event.data
    return _encode(out)


def decode(raw: bytes, *, now: datetime | None = None) -> Event:
    """The event that these bytes hold in CloudEvents' JSON format.

    `now` stands in for a missing `time`; without it, `time` is required. Raises EnvelopeError.
    """
    try:
        fields = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EnvelopeError([FieldProblem("", f"is not JSON: {error}")]) from None
    return from_fields(fields, now=now)


def from_fields(fields: Any, *, now: datetime | None = None) -> Event:
    """The event whose attributes and data are these JSON values. Raises EnvelopeError with every wrong field."""
    if not isinstance(fields, dict):
        raise EnvelopeError([FieldProblem("", "must be a JSON object, a CloudEvent 1.0")])
    problems: list[FieldProblem] = []

    def text(name: str, *, required: bool, what: str = "a text") -> str | None:
        value = fields.get(name)
        if value is None and not required:
            return None
        if value is None:
            problems.append(FieldProblem(f"/{name}", f"is missing; it must be {what}"))
        elif not isinstance(value, str) or not value:
            problems.append(FieldProblem(f"/{name}", f"must be {what}, and not empty"))
        elif len(value) > 1024 or "\x00" in value:
            problems.append(FieldProblem(f"/{name}", "must have at most 1024 characters and no NUL"))
        else:
            return value
        return None

    if fields.get("specversion") != "1.0":
        problems.append(FieldProblem("/specversion", 'must be "1.0"'))
    identity = text("id", required=True, what="a text, unique within its source")
    source = text("source", required=True, what="a URI reference such as /shop/orders")
    kind = text("type", required=True, what="a text such as order.placed")
    subject = text("subject", required=False)
    customer = text("customerid", required=False, what="the customer's id, a text")
    dataschema = text("dataschema", required=False)
    time = _time(fields.get("time"), now, problems)
    _check_content(fields, problems)
    extensions = {}
    for name, value in fields.items():
        if name in _CORE or name in {"customerid", "data_base64"} or value is None:
            continue
        if not _NAME.fullmatch(name):
            problems.append(
                FieldProblem(
                    "/" + _pointer(name),
                    "is no attribute's name: lower-case letters and digits only; put it in data",
                )
            )
        elif not isinstance(value, str | int | bool):
            problems.append(
                FieldProblem(f"/{name}", "must be a text, an integer or a boolean; put it in data")
            )
        else:
            extensions[name] = value
    if problems or identity is None or source is None or kind is None or time is None:
        raise EnvelopeError(problems)
    return Event(
        id=identity, source=source, type=kind, time=time, data=fields.get("data"), customerid=customer, subject=subject,
        dataschema=dataschema, extensions=extensions,
    )  # fmt: skip


def _time(value: Any, now: datetime | None, problems: list[FieldProblem]) -> datetime | None:
    if value is None:
        if now is None:
            problems.append(
                FieldProblem("/time", "is missing; it must be a time such as 2026-01-31T09:30:00Z")
            )
        return now
    if not isinstance(value, str):
        problems.append(FieldProblem("/time", "must be a time such as 2026-01-31T09:30:00Z, in quotes"))
        return None
    try:
        return parse_time(value)
    except ValueError as error:
        problems.append(FieldProblem("/time", str(error)))
        return None


def _check_content(fields: dict[str, Any], problems: list[FieldProblem]) -> None:
    content = fields.get("datacontenttype")
    if content is not None and not (isinstance(content, str) and _JSON_TYPE.match(content)):
        problems.append(FieldProblem("/datacontenttype", "must be application/json: rules read JSON only"))
    if "data_base64" in fields:
        problems.append(FieldProblem("/data_base64", "is not taken: send JSON in data, rules read JSON only"))


def _pointer(name: str) -> str:
    return name[:60].replace("~", "~0").replace("/", "~1")
