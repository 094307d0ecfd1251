"""What a backtest would have meant for customers, rule by rule. Pure."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from contracts.times import format_time
from rule_engine.commands.transitions import as_list, due_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contracts.alerts import Transition

DAY_ROWS = 31  # a line for each day up to so many days, beyond that a line for each month
BAR = 40
LEAST_LIMIT = (
    1000  # customers an hour whom a rule tells without being asked; 1 % of the known ones if that is more
)
PER = timedelta(hours=1)
_LEVELS = " ▁▂▃▄▅▆▇█"


@dataclass(slots=True)
class RuleSummary:
    """Of one rule: alerts that fired and resolved, messages to each customer, and alerts and messages of each day (UTC).

    `most_at_once` customers were told within an hour; `held_at` is when that went beyond the `limit`, None if it did not.
    """

    rule: str
    fired: int = 0
    resolved: int = 0
    tickets: int = 0
    told: Counter[str] = field(default_factory=Counter)
    limit: int = LEAST_LIMIT
    most_at_once: int = 0
    held_at: datetime | None = None
    alerts: Counter[date] = field(default_factory=Counter)
    messages: Counter[date] = field(default_factory=Counter)

    @property
    def bars(self) -> tuple[Counter[date], str]:
        """What a day's bar counts, and its name: messages, or alerts where the rule tells nobody."""
        return (self.messages, "message") if self.messages else (self.alerts, "alert")


def summarise(
    rules: Iterable[str], transitions: Iterable[Transition], customers: int = 0
) -> list[RuleSummary]:
    """One for each rule, in their order, those that did nothing too; `customers` are known, a share of whom is the limit."""
    summaries = {rule: RuleSummary(rule, limit=max(LEAST_LIMIT, customers // 100)) for rule in rules}
    lately: dict[str, _Lately] = {rule: _Lately() for rule in summaries}
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
                    at_once = lately[transition.rule].tell(transition.customer, transition.at)
                    summary.most_at_once = max(summary.most_at_once, at_once)
                    if at_once > summary.limit and summary.held_at is None:
                        summary.held_at = transition.at
    return list(summaries.values())


class _Lately:
    """Whom a rule told within the last hour."""

    def __init__(self) -> None:
        self._told: deque[tuple[datetime, str]] = deque()
        self._counts: Counter[str] = Counter()

    def tell(self, customer: str, at: datetime) -> int:
        """How many customers, this one among them."""
        while self._told and self._told[0][0] <= at - PER:
            _, gone = self._told.popleft()
            self._counts[gone] -= 1
            if not self._counts[gone]:
                del self._counts[gone]
        self._told.append((at, customer))
        self._counts[customer] += 1
        return len(self._counts)


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
    if summary.told:
        yield f"  limit           {_limit(summary)}"
    if summary.tickets:
        yield f"  tickets         {summary.tickets:,}"
    total = sum(summary.messages.values())
    counts, _ = summary.bars
    first, last = min([first, *counts]), max([last, *counts])
    days = (last - first).days + 1
    yield f"  messages        {total:,}, {total / days:.1f} a day over {_count(days, 'day')}"
    if counts:
        yield from _by_day(summary, first, days) if days <= DAY_ROWS else _by_month(summary, first, last)


def _limit(summary: RuleSummary) -> str:
    limit = f"{summary.limit:,} customers an hour"
    if summary.held_at is None:
        return f"{limit}: never reached, {summary.most_at_once:,} at most"
    return f"{limit}: held from {format_time(summary.held_at)} on, until a person approves; {summary.most_at_once:,} at most"


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
