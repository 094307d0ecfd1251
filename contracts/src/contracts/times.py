"""RFC 3339 times, kept to the microsecond: what is beyond is cut off, never rounded."""

import re
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)


def parse_time(text: str) -> datetime:
    """The moment that an RFC 3339 text names, in UTC. Raises ValueError with what is wrong with it."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a time as RFC 3339 writes it, such as 2026-01-31T09:30:00Z")
    year, month, day, hour, minute, second = (int(part) for part in match.group(1, 2, 3, 4, 5, 6))
    fraction, _, sign, offset_h, offset_min = match.group(7, 8, 9, 10, 11)
    # RFC 3339 allows a leap second; like POSIX time we count it as the last microsecond-bearing second before it
    leap = second == 60
    moment = datetime(
        year,
        month,
        day,
        hour,
        minute,
        59 if leap else second,
        int((fraction or "0")[:6].ljust(6, "0")),
        tzinfo=UTC,
    )
    if sign is None:
        return moment
    if int(offset_h) > 23 or int(offset_min) > 59:
        raise ValueError(f"{text[:40]!r} has an offset from UTC that is no time of day")
    offset = timedelta(hours=int(offset_h), minutes=int(offset_min))
    try:
        return moment - offset if sign == "+" else moment + offset
    except OverflowError:
        raise ValueError(f"{text[:40]!r} lies outside the years 1 to 9999") from None


def to_micros(moment: datetime) -> int:
    """Microseconds since the Unix epoch, exact for every representable moment."""
    since = moment - EPOCH
    return since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds


def from_micros(micros: int) -> datetime:
    """The moment so many microseconds after the Unix epoch, in UTC. Raises OverflowError outside the years 1 to 9999."""
    return EPOCH + timedelta(microseconds=micros)


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC, with six digits of fraction only where there is one: 2026-01-31T09:30:00Z."""
    text = moment.astimezone(UTC).isoformat()
    return text.removesuffix("+00:00") + "Z"


def format_micros(micros: int) -> str:
    """RFC 3339 in UTC, always with six digits of fraction: the form that goes into ids."""
    return from_micros(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)
