"""The verdict as people read it: a line a story, and the differences."""

from collections.abc import Sequence

import click

from beforehand.demo.verdict import Finding


def summary(findings: Sequence[Finding]) -> str:
    """A table of the stories, and what is not as expected."""
    rows = [("who", "what happened", "to be told", "told", "")]
    rows += [
        (
            finding.story.person.name,
            finding.story.title,
            _counts([expected.channel for expected in finding.story.expected]),
            _counts([one.channel for one in [*finding.came, *finding.besides] if one]),
            "✗" if finding.differences else "✓",
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
    return "\n".join(["", *lines, "", *(_named(differences) if differences else [_all_came(findings)]), ""])


def _counts(channels: Sequence[str]) -> str:
    words = [
        f"{count} {noun}{'s' if count > 1 else ''}"
        for channel, noun in (("email", "mail"), ("sms", "text"))
        if (count := list(channels).count(channel))
    ]
    return ", ".join(words) or "nothing"


def _named(differences: Sequence[str]) -> list[str]:
    title = click.style(f"{len(differences)} not as expected:", fg="red", bold=True)
    return [title, *(f"  - {difference}" for difference in differences)]


def _all_came(findings: Sequence[Finding]) -> str:
    count = sum(len(finding.came) for finding in findings)
    return click.style(f"Every expected message came ({count}), and no other.", fg="green", bold=True)
