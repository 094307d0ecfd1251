"""A record of `signals` as rules see it. The gate has checked and normalised it; what can't be read here is poison."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec

from contracts.times import EPOCH, from_micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_DAY_US = 86_400_000_000


class Head(msgspec.Struct, gc=False):
    """What every event has to tell even if no rule wants it."""

    type: str
    time: datetime


class Signal(Head, gc=False):
    """The attributes that the engine itself needs, and the data."""

    id: str
    source: str
    customerid: str | None = None
    data: Any = None


read_head = msgspec.json.Decoder(Head).decode
read_signal = msgspec.json.Decoder(Signal).decode
_read_fields = msgspec.json.Decoder(dict[str, Any]).decode


def micros(moment: datetime) -> int:
    """Microseconds since the Unix epoch."""
    since = moment - EPOCH
    return since.days * _DAY_US + since.seconds * 1_000_000 + since.microseconds


def attributes(raw: bytes, time_us: int) -> dict[str, Any]:
    """The variable `event` of expressions: CloudEvents' attributes and extensions, `time` as a timestamp, no data."""
    fields = _read_fields(raw)
    fields.pop("data", None)
    fields["time"] = from_micros(time_us)
    return fields


def reader_of(fields: Iterable[str]) -> Callable[[bytes], Signal]:
    """Reads a Signal with no more of its data than the fields named; of data that is no object, all."""
    data: Any = TypedDict("data", dict.fromkeys(fields, Any), total=False)  # type: ignore[misc]
    some: Any = msgspec.defstruct("Some", [("data", data | None, None)], bases=(Signal,), gc=False)
    decode: Callable[[bytes], Signal] = msgspec.json.Decoder(some).decode

    def read(raw: bytes) -> Signal:
        try:
            return decode(raw)
        except msgspec.ValidationError:
            return read_signal(raw)

    return read
