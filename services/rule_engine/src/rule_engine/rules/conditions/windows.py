"""The keys that conditions over windows share, and what they must say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rule_engine.rules.conditions.word import MOST_STEPS
from rule_engine.rules.durations import format_duration
from rule_engine.rules.reading import Key
from rule_engine.rules.values import Duration, Whole

if TYPE_CHECKING:
    from rule_engine.rules.reading import Fields, Reader

EVERY = Key(
    "every",
    Duration(),
    "How often a window ends; it divides `within`. Without it the window slides with the events.",
    "30s",
)
ENDS: list[Key[Any]] = [
    Key("no_data", Duration(), "This long after the last window that said something it counts as false.", "1h"),
    Key("forget", Duration(), "A key whose windows have been empty this long is forgotten. 7d by default.", "7d"),
]  # fmt: skip
WITHIN = Key("within", Duration(), "How long a window is.", "5m", required=True)
MIN_EVENTS = Key(
    "min_events", Whole(1, 10**12), "A window with fewer events says nothing. 1 by default.", 200
)


def windows_fit(fields: Fields, rule: Fields, reader: Reader, word: str, *, within: str = "within") -> bool:
    """Tells what is wrong with the windows of a condition, under `word`; whether nothing is."""
    before = len(reader.problems)
    within_us, every_us = fields.get(within), fields.get("every")
    if every_us is not None and within_us is not None:
        steps_fit(fields, reader, within, within_us)
    if "every" not in fields:
        _check_sliding(fields, rule, reader, word)
    no_data: int | None = fields.get("no_data")
    if no_data is not None and every_us is not None and no_data < every_us:
        reader.wrong(fields.at_value("no_data"), f"expected at least `every`, {format_duration(every_us)}")
    return len(reader.problems) == before


def steps_fit(fields: Fields, reader: Reader, name: str, span_us: int) -> None:
    """`every` divides this span, and not into too many steps."""
    every_us: int = fields.get("every")
    if span_us % every_us:
        message = f"`every` must divide `{name}`: {format_duration(span_us)} is no multiple of {format_duration(every_us)}"
        reader.wrong(fields.at_value("every"), message)
    elif span_us // every_us > MOST_STEPS:
        message = f"a window of {span_us // every_us:,} steps of `every`; at most {MOST_STEPS:,} are allowed"
        reader.wrong(fields.at_value("every"), message)


def _check_sliding(fields: Fields, rule: Fields, reader: Reader, word: str) -> None:
    if rule.get("scope") == "global":
        message = f"under `scope: global` {word} needs 'every', such as every: 30s"
        reader.wrong(fields.at, message, "missing-key")
    for name in ("no_data", "forget"):
        if name in fields:
            reader.wrong(fields.at_key(name), f"{name!r} is for windows: it needs 'every' beside it")
    if fields.get("min_events", 1) > MOST_STEPS:
        message = f"without 'every' a key keeps {MOST_STEPS:,} events: min_events can't be reached"
        reader.wrong(fields.at_value("min_events"), message)
