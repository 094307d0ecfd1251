"""The verdict as people read it: a line a story, the differences, and how long messages took."""

from collections.abc import Sequence
from statistics import median

import click

from beforehand.demo.story import Expected
from beforehand.demo.verdict import Finding, Received

_NOTHING = "nothing"


def summary(findings: Sequence[Finding]) -> str:
    """A table of the stories, and what is not as expected."""
    rows = [("who", "what happened", "to be told", "told", "")]
    rows += [
        (
            finding.story.person.name,
            finding.story.title,
            _counts([expected.channel for expected in finding.story.expected]),
            _counts([one.channel for one in [*finding.came, *finding.besides] if one]),
            "no" if finding.differences else "as it should be",
        )
        for finding in findings
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines[0] = click.style(lines[0], bold=True)
    differences = [difference for finding in findings for difference in finding.differences]
    return "\n".join(
        ["", *lines, "", *([_told_late(findings)] if not differences else _named(differences)), ""]
    )


def _counts(channels: Sequence[str]) -> str:
    words = [
        f"{count} {noun}{'s' if count > 1 else ''}"
        for channel, noun in (("email", "mail"), ("sms", "text"))
        if (count := list(channels).count(channel))
    ]
    return ", ".join(words) or _NOTHING


def _named(differences: Sequence[str]) -> list[str]:
    title = click.style(f"{len(differences)} not as expected:", fg="red", bold=True)
    return [title, *(f"  - {difference}" for difference in differences)]


def _told_late(findings: Sequence[Finding]) -> str:
    waits_s = [(received.at - expected.due).total_seconds() for expected, received in _pairs(findings)]
    times = (
        f"; from due to received {median(waits_s):.1f} s in the middle, {max(waits_s):.1f} s at most"
        if waits_s
        else ""
    )
    verdict = f"Every expected message came ({len(waits_s)}), and no other"
    return click.style(verdict, fg="green", bold=True) + times + "."


def _pairs(findings: Sequence[Finding]) -> list[tuple[Expected, Received]]:
    return [
        (expected, received)
        for finding in findings
        for expected, received in zip(finding.story.expected, finding.came, strict=True)
        if received
    ]
