"""A test's outcome for people: expected and actual side by side, on one time line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rule_engine.commands.transitions import as_list, due_words
from rule_engine.rules.durations import format_duration

if TYPE_CHECKING:
    from contracts.alerts import Transition
    from rule_engine.commands.trial import Outcome, Row
    from rule_engine.rules.tests import Expected

NOTHING = "–"


def side_by_side(outcome: Outcome) -> str:
    """A line a transition, marked where both differ, with what differs below it."""
    test = outcome.test
    several = len(test.rules) > 1
    in_days = any("d" in expected.since_start for expected in test.expect)
    lines = [("", "", "expected", "happened")]
    marks: list[Row | None] = [None]
    for row in outcome.rows:
        if row.expected is not None and (row.expected.since_start or row.actual is None):
            at = row.expected.since_start
        else:
            at = _since(row.at_us, test.start_us, days=in_days)
        lines.append(
            (
                "" if row.agrees else "✗",
                at,
                NOTHING if row.expected is None else _expected(row.expected),
                NOTHING if row.actual is None else _actual(row.actual, several=several),
            )
        )  # fmt: skip
        marks.append(row)
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    out = []
    for mark, cells in zip(marks, lines, strict=True):
        text = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        out.append(click.style(text, dim=mark is None, fg=None if mark is None or mark.agrees else "red"))
        if mark is not None:
            out += [" " * (widths[0] + widths[1] + 4) + note for note in mark.notes if note != "at"]
    if len(lines) == 1:
        out = ["nothing was expected, and nothing happened"]
    return "\n".join([*out, *outcome.failures])


def _since(at_us: int, start_us: int, *, days: bool) -> str:
    sign = "-" if at_us < start_us else ""
    beyond = abs(at_us - start_us) % 1000
    return sign + format_duration(abs(at_us - start_us), days=days) + (f"+{beyond}µs" if beyond else "")


def _expected(expected: Expected) -> str:
    fields = dict(expected.fields)
    parts = [str(fields.pop("state", "any"))]
    if (rule := fields.pop("rule", None)) is not None:
        parts.append(rule)
    key = fields.pop("key", None)
    if key is not None:
        parts.append("/".join(as_list(key)))
    customer = fields.pop("customer", None)
    if customer is not None:
        parts.append(f"({customer})")
    notify = fields.pop("notify", None)
    if notify is not None:
        parts.append(f"[{', '.join(sorted(notify))}]")
    return " ".join(parts)


def _actual(transition: Transition, *, several: bool) -> str:
    parts = [transition.state, *([transition.rule] if several else [])]
    keys = as_list(transition.key)
    parts.append("/".join(keys))
    if transition.customer is not None and keys != [transition.customer]:
        parts.append(f"({transition.customer})")
    parts.append(f"[{', '.join(due_words(transition))}]")
    return " ".join(part for part in parts if part)
