"""Whether an event may enter, and as which records: bytes and a clock in, records for Kafka or a rejection out.

Rejected
└── why (one word for metrics and HTTP) and every wrong field
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from contracts.catalogue import problems_of
from contracts.envelope import MAX_BYTES, EnvelopeError, Event, FieldProblem, encode, from_fields
from contracts.records import Profile, public
from contracts.topics import CUSTOMERS, SIGNALS, Topic

MAX_DEPTH = 64  # of objects and lists inside each other: rules compare fields, they do not walk trees
PROFILE = "customer.updated"
ERASURE = "customer.erased"


_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Reason(StrEnum):
    NOT_JSON = "not_json"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported_content"
    INVALID = "invalid"


class Rejected(Exception):  # noqa: N818 - an event is rejected; nothing of ours has failed
    def __init__(self, reason: Reason, problems: list[FieldProblem]) -> None:
        super().__init__("; ".join(f"{p.field or 'the event'} {p.problem}" for p in problems))
        self.reason = reason
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Record:
    """What is to be written: `value` is None where the key is to be erased."""

    topic: Topic
    key: bytes
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """An event that may enter, and its records in the order in which they are to be written."""

    event: Event
    records: tuple[Record, ...]

    @property
    def bytes(self) -> int:
        return sum(len(record.value or b"") for record in self.records)


def accept(fields: Any, *, now: datetime, max_future: timedelta, traceparent: str | None = None) -> Accepted:
    """The records of the event whose attributes and data are these JSON values. Raises Rejected.

    `now` is the wall clock, and stands in for a missing `time`. `traceparent` is the caller's W3C trace context: not
    passed on where it is malformed, as W3C has it, or where the event carries one itself.
    """
    try:
        event = from_fields(fields, now=now)
    except EnvelopeError as error:
        raise Rejected(Reason.INVALID, _all_problems(fields, error)) from None
    problems = problems_of(event.type, event.customerid, event.data)
    if event.time > now + max_future:
        problems.append(FieldProblem("/time", _ahead(event.time - now, max_future)))
    if not _is_shallow(event.data):
        problems.append(
            FieldProblem("/data", f"has more than {MAX_DEPTH} objects and lists inside each other")
        )
    if problems:
        raise Rejected(Reason.INVALID, problems)
    if traceparent and _TRACEPARENT.fullmatch(traceparent) and "traceparent" not in event.extensions:
        event = replace(event, extensions={**event.extensions, "traceparent": traceparent})
    records = _records(event)
    # numbers can grow when they are written out anew: 1e15 becomes 1000000000000000.0
    if any(record.value is not None and len(record.value) > MAX_BYTES for record in records):
        raise Rejected(Reason.TOO_LARGE, [too_large()])
    return Accepted(event, records)


def too_large(limit: int = MAX_BYTES) -> FieldProblem:
    return FieldProblem(
        "", f"is larger than {limit:,} bytes: send references to large things, not themselves"
    )


def _records(event: Event) -> tuple[Record, ...]:
    key = event.key
    if event.type == PROFILE:
        # addresses stay out of `signals`: whoever may know them reads `customers`
        data = msgspec.to_builtins(public(msgspec.convert(event.data or {}, Profile)))
        return (
            Record(CUSTOMERS, key, encode(event)),
            Record(SIGNALS, key, encode(replace(event, data=data))),
        )
    signal = Record(SIGNALS, key, encode(event))
    return (Record(CUSTOMERS, key, None), signal) if event.type == ERASURE else (signal,)


def _all_problems(fields: Any, error: EnvelopeError) -> list[FieldProblem]:
    """What the catalogue finds wrong too, so that nobody has to send an event twice to hear it all."""
    if not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        return error.problems
    named = {problem.field for problem in error.problems}
    more = problems_of(fields["type"], fields.get("customerid"), fields.get("data"))
    return error.problems + [problem for problem in more if problem.field not in named]


def _ahead(by: timedelta, allowed: timedelta) -> str:
    return (
        f"lies {by.total_seconds():,.0f} s ahead of the clock here, more than the {allowed.total_seconds():,.0f} s "
        "that are allowed: set the sender's clock right, or leave time out"
    )


def _is_shallow(data: Any) -> bool:
    level = [data]
    for _ in range(MAX_DEPTH + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return True
    return False


def _children(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()
