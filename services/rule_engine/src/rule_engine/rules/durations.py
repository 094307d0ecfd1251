"""Durations as rules write them: integers with d h m s ms, in this order, such as `90s`, `48h`, `1d12h`."""

from __future__ import annotations

import re

UNITS_US = {"d": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000}
MAX_US = 36_500 * UNITS_US["d"]
FORM = r"(?=[0-9])([0-9]{1,15}d)?([0-9]{1,15}h)?([0-9]{1,15}m(?!s))?([0-9]{1,15}s)?([0-9]{1,15}ms)?"
_FORM = re.compile(FORM, re.ASCII)
_MEANT = re.compile(r"[0-9]+(\.[0-9]+)?\s*[a-zA-Z]*(\s*[0-9.]+\s*[a-zA-Z]*)*", re.ASCII)


def parse_duration(text: str) -> int:
    """Microseconds. Raises ValueError with what is expected."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("integers with d, h, m, s, ms in this order, such as 90s, 48h or 1d12h")
    micros = sum(
        int(part[: -len(unit)]) * UNITS_US[unit]
        for part, unit in zip(match.groups(), UNITS_US, strict=True)
        if part
    )
    if micros > MAX_US:
        raise ValueError("at most 36500d")
    return micros


def looks_like_duration(text: str) -> bool:
    """Whether somebody meant a duration rather than an expression, well written or not."""
    return _MEANT.fullmatch(text) is not None


def format_duration(micros: int, *, days: bool = True) -> str:
    """The shortest way to write it: 5400000000 is `1h30m`. What is below a millisecond is left out; 0 is `0s`."""
    parts = []
    rest = micros
    for unit, size in UNITS_US.items():
        if unit != "d" or days:
            count, rest = divmod(rest, size)
            parts += [f"{count}{unit}"] if count else []
    return "".join(parts) or "0s"
