"""`beforehand rules backtest`."""

from __future__ import annotations

import gc
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from contracts.times import format_time, to_micros
from contracts.topics import SIGNALS
from rule_engine.commands.arguments import Moment, Since, Unusable
from rule_engine.commands.broker import kafka_option, servers, topic_name, values_since
from rule_engine.commands.history import HistoryError, Line, read_events
from rule_engine.commands.problems import counted, show
from rule_engine.commands.summary import lines_of, summarise, transition_line
from rule_engine.commands.transitions import due_words, in_order
from rule_engine.replay import Replay
from rule_engine.rules.load import load_paths
from rule_engine.rules.model import RuleFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from contracts.alerts import Transition
    from rule_engine.rules.load import RuleSource

MOST_LISTED = 20
AT_ONCE = 1000  # events


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option(
    "--events",
    type=click.File("rb"),
    help="A file with one CloudEvent in JSON a line, in order of arrival; - is the standard input.",
)
@click.option("--topic", metavar="NAME", help=f"Read a topic instead, such as {SIGNALS.name}.")
@click.option("--since", type=Since(), help="With --topic: how far back, such as 7d, or from when.")
@click.option(
    "--until", type=Moment(), help="Let the clock end just past this time. Default: at the last event."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "ndjson"]),
    default="text",
    show_default=True,
    help="text: a summary for people. ndjson: one line a transition.",
)
@kafka_option
def backtest(
    paths: tuple[str, ...],
    events: IO[bytes] | None,
    topic: str | None,
    since: int | None,
    until: int | None,
    form: Literal["text", "ndjson"],
    kafka: str | None,
) -> None:
    """Run rules over past events: what would customers have been told?

    Nothing is delivered. The clock is that of the events: without --until, what is due at or after the last of them
    has not happened yet.

    Exit code 2 on a rule file or an event that does not load.
    """  # fmt: skip
    try:
        sources = load_paths(paths)
    except RuleFileError as error:
        show(error.problems, err=True)
        sys.exit(2)
    if (events is None) == (topic is None):
        raise click.UsageError("say where the events are: --events FILE, or --topic signals --since 7d")
    if topic is not None and since is None:
        raise click.UsageError("--topic needs --since: how far back to read, such as --since 7d")
    if topic is not None:
        name = topic_name(SIGNALS) if topic == SIGNALS.name else topic
        lines: Iterable[bytes] = values_since(servers(kafka), name, (since or 0) // 1000)
        total = None
    else:
        assert events is not None
        lines, name = events, getattr(events, "name", "-")
        total = Path(name).stat().st_size if Path(name).is_file() else None
    with _progress(total) as step:
        past = _run(sources, _stepping(lines, step), name, until)
    _print(past, form)


class _Past:
    """What a backtest has gone through. `first` and `last` are the smallest and the largest time."""

    def __init__(self, sources: list[RuleSource]) -> None:
        self.sources = sources
        self.replay = Replay({source.file: source for source in sources})
        self.events = 0
        self.customers: set[str] = set()
        self.first = self.last = datetime.now(UTC)
        self.seconds = 0.0

    @property
    def transitions(self) -> list[Transition]:
        return in_order(self.replay.transitions)

    def feed(self, lines: list[Line]) -> None:
        times = [line.time for line in lines]
        self.first = min(times if not self.events else [self.first, *times])
        self.last = max(times if not self.events else [self.last, *times])
        self.events += len(lines)
        self.customers.update(line.customer for line in lines if line.customer is not None)
        self.replay.feed(lines)


def _run(sources: list[RuleSource], lines: Iterable[bytes], name: str, until: int | None) -> _Past:
    past = _Past(sources)
    gc.freeze()  # nearly all that is made stays to the end: looking through it again and again is a seventh of the time
    gc.set_threshold(100_000, 50, 100)
    started = time.perf_counter()
    events = read_events(lines, name)
    try:
        while batch := list(islice(events, AT_ONCE)):
            past.feed(batch)
    except HistoryError as error:
        raise Unusable(str(error)) from None
    if past.replay.refused:
        number, reason = past.replay.refused[0]
        raise Unusable(f"{name}:{number}: {reason}")
    if until is not None and past.events:
        if until < to_micros(past.last):
            raise Unusable(f"--until lies before the last event, which is of {format_time(past.last)}")
        past.replay.until(until)
    past.seconds = time.perf_counter() - started
    return past


def _print(past: _Past, form: Literal["text", "ndjson"]) -> None:
    transitions = past.transitions
    if form == "ndjson":
        for transition in transitions:
            click.echo(_ndjson(transition))
    else:
        for transition in transitions[:MOST_LISTED]:
            click.echo(transition_line(transition))
        if len(transitions) > MOST_LISTED:
            click.echo(f"… and {len(transitions) - MOST_LISTED:,} more: --format ndjson prints all")
        click.echo()
        first, last = past.first, past.last
        ids = (rule.id for source in past.sources for rule in source.rules)
        for summary in summarise(ids, transitions, len(past.customers)):
            head, *rest = lines_of(summary, first.date(), last.date())
            click.echo("\n".join([click.style(head, bold=True), *rest, ""]))
        span = f", {format_time(first)} to {format_time(last)}" if past.events else ""
        rate = f"{past.events / past.seconds:,.0f} a second" if past.seconds else "at once"
        click.echo(f"{past.events:,} events{span}, {rate}")
    for rule, count in past.replay.counters.expression_errors.items():
        click.echo(
            f"rule {rule}: {counted(count, 'expression')} ended in an error, so the event took no part",
            err=True,
        )
    if past.replay.counters.isolated:
        raise click.ClickException(f"rules broke down: {dict(past.replay.counters.isolated)}")


def _ndjson(transition: Transition) -> str:
    return msgspec.json.encode(
        {
            "rule": transition.rule, "key": transition.key, "customer": transition.customer, "state": transition.state,
            "at": format_time(transition.at), "id": transition.alert, "value": transition.value,
            "evidence": transition.evidence, "notify": due_words(transition),
        }
    ).decode()  # fmt: skip


def _stepping(lines: Iterable[bytes], step: Callable[[int, int], None]) -> Iterator[bytes]:
    """The lines, telling now and then how many of them were read, and how many bytes."""
    read = number = 0
    for number, line in enumerate(lines, 1):
        read += len(line)
        if number % AT_ONCE == 0:
            step(number, read)
        yield line
    step(number, read)


@contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, with the events and how many of them a second; nothing elsewhere."""
    console = Console(stderr=True)
    columns = (
        TextColumn("replaying"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TextColumn("{task.fields[rate]}"),
    )  # fmt: skip
    began = time.perf_counter()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("replaying", total=total, rate="")

        def step(events: int, read: int) -> None:
            rate = f"{events:,} events, {events / (time.perf_counter() - began):,.0f} a second"
            progress.update(task, completed=read, rate=rate)

        yield step
