"""`beforehand rules why`."""

from __future__ import annotations

import sys
import time
from typing import IO, TYPE_CHECKING, Any

import click
import msgspec

from contracts.times import format_time, from_micros
from contracts.topics import SIGNALS
from rule_engine.commands.account import Account, State, Step, account_of
from rule_engine.commands.arguments import Moment, Since
from rule_engine.commands.broker import kafka_option, reaching, servers, topic_name, values_since
from rule_engine.commands.eval import table
from rule_engine.commands.history import HistoryError, Line, read_events
from rule_engine.commands.problems import counted, show
from rule_engine.commands.published import published
from rule_engine.commands.transitions import as_list, due_words
from rule_engine.commands.verdict import condition_text, verdict
from rule_engine.expressions import EvaluationError
from rule_engine.rules.load import load_paths
from rule_engine.rules.model import RuleFileError
from rule_engine.rules.reading import nearest
from rule_engine.state import PAST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rule_engine.rules.load import RuleSource
    from rule_engine.rules.model import Rule

MOST_STEPS = 50
MOST_WINDOWS = 20


@click.command()
@click.argument("rule_id", metavar="RULE")
@click.option("--customer", required=True, metavar="ID", help="Whose events are looked at.")
@click.option("--since", type=Since(), help="How far back the topic is read, such as 1d, or from when.")
@click.option(
    "--events",
    type=click.File("rb"),
    help="Look at a file instead: one CloudEvent in JSON a line; - is the standard input.",
)
@click.option(
    "--rules",
    "paths",
    multiple=True,
    type=click.Path(),
    help="Take the rule from a file or folder instead of what was pushed.",
)
@click.option(
    "--until",
    type=Moment(),
    help="Let the clock end just past this time. Default: now; with --events, at the last event.",
)
@kafka_option
def why(
    rule_id: str, customer: str, since: int | None, events: IO[bytes] | None, paths: tuple[str, ...], until: int | None,
    kafka: str | None,
) -> None:  # fmt: skip
    """Say why a rule did not fire for a customer.

    Runs the customer's events through the rule, and shows of each whether it matched: each clause with its values, what was
    counted or armed then, and what was missing in the end. What happened before --since is not known to it.

    \b
    beforehand rules why payment-failed --customer c1 --since 1d
    beforehand rules why payment-failed --customer c1 --rules rules/ --events past.ndjson

    Exit code 2 on a rule or events that are not there or do not load, 3 where no Kafka answers.
    """  # fmt: skip  # noqa: D301 - click wants a real backspace
    if (events is None) == (since is None):
        raise click.UsageError("say which events: --since 1d reads the topic, --events FILE a file")
    bootstrap = servers(kafka)
    with reaching(bootstrap):
        source, rule = _find(rule_id, paths, bootstrap)
        if events is not None:
            name = getattr(events, "name", "-")
            lines: Iterable[bytes] = events
        else:
            name = topic_name(SIGNALS)
            # a global rule may count anybody's events
            key = customer if rule.scope == "customer" else None
            lines = values_since(bootstrap, name, (since or 0) // 1000, key=key)
            until = time.time_ns() // 1000 if until is None else until
        account = account_of(source, rule, _read(lines, name), customer, until)
    _print(account, customer)


def _find(rule_id: str, paths: tuple[str, ...], bootstrap: list[str]) -> tuple[RuleSource, Rule]:
    """Exits with 2 where there is no such rule."""
    try:
        sources = load_paths(paths) if paths else list(published(bootstrap).values())
    except RuleFileError as error:
        show(error.problems, err=True)
        sys.exit(2)
    rules = {rule.id: (source, rule) for source in sources for rule in source.rules}
    if rule_id not in rules:
        where = f"in {', '.join(paths)}" if paths else "among those that were pushed"
        click.echo(f"there is no rule {rule_id!r} {where}{nearest(rule_id, rules)}", err=True)
        sys.exit(2)
    return rules[rule_id]


def _read(lines: Iterable[bytes], name: str) -> Iterator[Line]:
    try:
        yield from read_events(lines, name)
    except (HistoryError, msgspec.MsgspecError) as error:
        click.echo(str(error), err=True)
        sys.exit(2)


def _print(account: Account, customer: str) -> None:
    rule = account.rule
    click.echo(f"{click.style(rule.id, bold=True)}  {condition_text(rule.condition)}")
    click.echo(f"  {rule.place}, version {rule.version}, {rule.mode}")
    total = sum(account.types.values())
    click.echo(
        f"  {counted(total, 'event')} of {customer}, {len(account.steps):,} of a type that the rule names"
    )
    left = account.steps[:-MOST_STEPS]
    if left:
        click.echo(f"  … the first {len(left):,} of them are left out")
    for step in account.steps[-MOST_STEPS:]:
        click.echo("\n" + "\n".join(_step(step)))
    if account.windows:
        click.echo("\n" + "\n".join(_windows(account)))
    for transition in account.later:
        click.echo(f"\n{format_time(transition.at)}  the clock")
        click.echo(f"  → {_told(transition)}")
    click.echo()
    for sentence in verdict(account):
        click.echo(click.style(sentence, bold=True))


def _step(step: Step) -> Iterator[str]:
    event = step.event
    yield f"{format_time(from_micros(step.at_us))}  {click.style(event.type, bold=True)}  {event.id}"
    for word, key in step.roles.items():
        if isinstance(key, EvaluationError):
            yield f"  {_mark(good=False)} {word}: no key: {key.message}"
        elif word != "on":
            yield f"  {_mark(good=True)} {word}, key {_key(key)}"
        else:
            said = "matches" if step.matches else "does not match"
            yield f"  {_mark(good=step.matches)} on: {said}, key {_key(key)}"
    if not step.roles:
        yield f"  {_mark(good=False)} no selector of the rule picks it"
    for clause in step.clauses:
        yield f"    {clause.name}:"
        yield from (f"      {line}" for line in table(clause.parts))
    yield from (f"  → {said}" for said in _effect(step))


def _windows(account: Account) -> Iterator[str]:
    left = account.windows[:-MOST_WINDOWS]
    yield click.style("windows that ended", bold=True) + (
        f" (the first {len(left):,} are left out)" if left else ""
    )
    for each in account.windows[-MOST_WINDOWS:]:
        said = {
            True: f"{_mark(good=True)} true",
            False: f"{_mark(good=False)} false",
            None: "… says nothing",
        }[each.true]
        yield f"  {format_time(from_micros(each.end_us))}  {said}, measured {each.value}"


def _effect(step: Step) -> Iterator[str]:
    before, after = step.before, step.after
    if after.value is not None and after.value != before.value:
        yield f"measured: {after.value}"
    if after.due_us is not None and after.due_us != before.due_us:
        yield f"armed, due {format_time(from_micros(after.due_us))}"
    elif before.due_us is not None and after.due_us is None and not step.transitions:
        yield "disarmed"
    if after.held_us is not None and before.held_us is None:
        yield (
            "true, held back by a cooldown"
            if after.held_us <= PAST
            else f"true, fires at {format_time(from_micros(after.held_us))} if it stays so"
        )
    if _unchanged(before, after) and step.matches and not step.transitions:
        yield "counted" if after.anything else "changes nothing"
    yield from (_told(transition) for transition in step.transitions)


def _unchanged(before: State, after: State) -> bool:
    return (before.value, before.due_us, before.held_us) == (after.value, after.due_us, after.held_us)


def _told(transition: Any) -> str:
    key = "/".join(as_list(transition.key))
    due = f", due: {', '.join(words)}" if (words := due_words(transition)) else ""
    return f"{transition.state} {format_time(transition.at)}, key {key}{due}, alert {transition.alert}"


def _key(key: Any) -> str:
    return "/".join(key) if isinstance(key, tuple) else repr(key) if key == "" else str(key)


def _mark(*, good: bool) -> str:
    return click.style("✓", fg="green") if good else click.style("✗", fg="red")
