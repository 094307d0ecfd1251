"""Past events for a backtest: CloudEvents in JSON, one a line of a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from contracts.envelope import EnvelopeError, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]


class HistoryError(ValueError):
    """A line that is no event: says which, and what is wrong with it."""


@dataclass(slots=True)
class Line:
    """One event as the engine takes a record: its bytes, and for its offset the number of its line."""

    value: bytes
    offset: int
    time: datetime
    customer: str | None = None
    key: bytes | None = None
    timestamp: int | None = None


class _Envelope(msgspec.Struct):
    """What nearly every event looks like; the others are looked at slowly."""

    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Name
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    customerid: Name | None = None


_look = msgspec.json.Decoder(_Envelope).decode


def read_events(lines: Iterable[bytes], name: str) -> Iterator[Line]:
    """The events in the order of the lines; blank ones are passed over. Raises HistoryError."""
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix(b"\xef\xbb\xbf") if number == 1 else line.strip()
        if not text:
            continue
        try:
            seen = _look(text)
            yield Line(text, number, seen.time, seen.customerid)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            yield _slowly(number, text, name)


def _slowly(number: int, text: bytes, name: str) -> Line:
    try:
        event = decode(text)
    except EnvelopeError as error:
        raise HistoryError(f"{name}:{number}: no CloudEvent in JSON: {error}") from None
    return Line(encode(event), number, event.time, event.customerid)
