"""What a backtest would have meant for customers, rule by rule. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from contracts.times import format_time
from rule_engine.commands.transitions import as_list, due_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contracts.alerts import Transition

DAY_ROWS = 31  # a line for each day up to so many days, beyond that a line for each month
BAR = 40
_LEVELS = " ▁▂▃▄▅▆▇█"


@dataclass(slots=True)
class RuleSummary:
    """Of one rule: alerts that fired and resolved, messages to each customer, and alerts and messages of each day (UTC)."""

    rule: str
    fired: int = 0
    resolved: int = 0
    tickets: int = 0
    told: Counter[str] = field(default_factory=Counter)
    alerts: Counter[date] = field(default_factory=Counter)
    messages: Counter[date] = field(default_factory=Counter)

    @property
    def bars(self) -> tuple[Counter[date], str]:
        """What a day's bar counts, and its name: messages, or alerts where the rule tells nobody."""
        return (self.messages, "message") if self.messages else (self.alerts, "alert")


def summarise(rules: Iterable[str], transitions: Iterable[Transition]) -> list[RuleSummary]:
    """One for each rule, in their order, those that did nothing too."""
    summaries = {rule: RuleSummary(rule) for rule in rules}
    for transition in transitions:
        summary = summaries[transition.rule]
        if transition.state == "firing":
            summary.fired += 1
            summary.alerts[transition.at.date()] += 1
        summary.resolved += transition.state == "resolved"
        for entry in transition.notify:
            if entry.ticket is not None:
                summary.tickets += 1
            elif entry.to is not None:
                count = 1 if entry.first_of else len(entry.channels)
                summary.messages[transition.at.date()] += count
                if entry.to.kind in {"customer", "affected"} and transition.customer is not None:
                    summary.told[transition.customer] += count
    return list(summaries.values())


def lines_of(summary: RuleSummary, first: date, last: date) -> Iterator[str]:
    """The summary as text; `first` and `last` are the days of the first and the last event."""
    yield summary.rule
    alerts = f"{summary.fired:,}" + (f", {summary.resolved:,} resolved" if summary.fired else "")
    yield f"  alerts          {alerts}"
    told = f"{len(summary.told):,}"
    if summary.told:
        name, most = max(sorted(summary.told.items()), key=lambda each: each[1])
        told += f", most often {name}: {_count(most, 'message')}"
    yield f"  customers told  {told}"
    if summary.tickets:
        yield f"  tickets         {summary.tickets:,}"
    total = sum(summary.messages.values())
    counts, _ = summary.bars
    first, last = min([first, *counts]), max([last, *counts])
    days = (last - first).days + 1
    yield f"  messages        {total:,}, {total / days:.1f} a day over {_count(days, 'day')}"
    if counts:
        yield from _by_day(summary, first, days) if days <= DAY_ROWS else _by_month(summary, first, last)


def transition_line(transition: Transition) -> str:
    """One transition as a calm line."""
    key = "/".join(as_list(transition.key))
    who = f" of {transition.customer}" if transition.customer not in {None, key} else ""
    due = f"  → {', '.join(words)}" if (words := due_words(transition)) else ""
    return f"{format_time(transition.at)}  {transition.state:<8}  {transition.rule}  {key}{who}{due}"


def _by_day(summary: RuleSummary, first: date, days: int) -> Iterator[str]:
    counts, word = summary.bars
    most = max(counts.values())
    for number in range(days):
        day = first + timedelta(number)
        count = counts[day]
        bar = "█" * -(-count * BAR // most)
        yield f"    {day.isoformat()}  {bar}{' ' if bar else ''}{count:,}"
    yield f"    {word}s of each day"


def _by_month(summary: RuleSummary, first: date, last: date) -> Iterator[str]:
    """A bar for each day, the highest the fullest day; `·` is a day without any."""
    counts, word = summary.bars
    most, busiest = max((count, day) for day, count in counts.items())
    month = first.replace(day=1)
    while month <= last:
        after = (month + timedelta(31)).replace(day=1)
        bars = ""
        total = 0
        for number in range((after - month).days):
            day = month + timedelta(number)
            count = counts[day]
            total += count
            bars += " " if not first <= day <= last else _LEVELS[-(-count * 8 // most)] if count else "·"
        yield f"    {month:%Y-%m}  {bars:<31}  {total:>6,}"
        month = after
    yield f"    a bar for each day, the highest {_count(most, word)} on {busiest.isoformat()}"


def _count(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
