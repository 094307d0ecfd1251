"""`beforehand rules explain`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from contracts.alerts import Transition
from contracts.envelope import EnvelopeError, Event, decode
from contracts.records import Message, TicketRecord
from contracts.times import format_time
from contracts.topics import ALERTS, DAY_MS, MESSAGES, SIGNALS, TICKETS, Topic
from rule_engine.commands.account import PROFILE, Step, steps_of
from rule_engine.commands.broker import kafka_option, reaching, servers, topic_name, values_since
from rule_engine.commands.eval import table
from rule_engine.commands.parts import shown
from rule_engine.commands.published import published
from rule_engine.commands.transitions import as_list, due_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rule_engine.rules.load import RuleSource
    from rule_engine.rules.model import Rule

T = TypeVar("T")


@dataclass(slots=True)
class Story:
    """All that the topics hold of one alert. `rule` is what was pushed last under its rule's id, None if nothing was."""

    transitions: list[Transition]
    evidence: dict[str, Event] = field(default_factory=dict)
    profiles: list[Event] = field(default_factory=list)
    messages: dict[str, list[Message]] = field(default_factory=dict)
    tickets: list[TicketRecord] = field(default_factory=list)
    source: RuleSource | None = None
    rule: Rule | None = None

    @property
    def first(self) -> Transition:
        return self.transitions[0]

    def profile(self, event: Event) -> Any:
        """The customer's, as it was before an event."""
        before = [each for each in self.profiles if each.time < event.time]
        return max(before, key=lambda each: each.time).data if before else {}


@click.command()
@click.argument("alert_id", metavar="ALERT_ID")
@kafka_option
def explain(alert_id: str, kafka: str | None) -> None:
    """Say why an alert fired, and what became of every message.

    Reads the topics: the alert's transitions, the version of its rule, the events behind it with the values that were
    compared, each message with its fate, and its tickets.

    Exit code 2 where no alert has this id, 3 where no Kafka answers.
    """
    bootstrap = servers(kafka)
    with reaching(bootstrap):
        story = _story(bootstrap, alert_id)
    if story is None:
        click.echo(
            f"no transition of an alert {alert_id!r} is on {topic_name(ALERTS)}, which keeps them {_days(ALERTS)} days: "
            "`beforehand rules why RULE --customer ID` shows what became of a customer's events",
            err=True,
        )
        sys.exit(2)
    click.echo("\n".join(lines_of(story)))


def _story(bootstrap: list[str], alert_id: str) -> Story | None:
    found = [each for event in _holding(bootstrap, ALERTS, [alert_id]) if (each := _as(event, Transition))]
    transitions = {each.seq: each for each in found if each.alert == alert_id}
    if not transitions:
        return None
    story = Story([transitions[seq] for seq in sorted(transitions)])
    customer = story.first.customer
    wanted = {*(each for transition in story.transitions for each in transition.evidence), *_causes(story)}
    texts = sorted(wanted) if customer is None else [*sorted(wanted), PROFILE]
    for event in _holding(bootstrap, SIGNALS, texts, customer) if wanted else ():
        if event.type == PROFILE and event.customerid == customer:
            story.profiles.append(event)
        if event.id in wanted and (customer is None or event.customerid == customer):
            story.evidence[event.id] = event
    for event in _holding(bootstrap, MESSAGES, [alert_id], customer):
        message = _as(event, Message)
        if message is not None and message.alert == alert_id:
            story.messages.setdefault(message.message, []).append(message)
    for event in _holding(bootstrap, TICKETS, [alert_id], customer):
        ticket = _as(event, TicketRecord)
        if ticket is not None and ticket.alert == alert_id:
            story.tickets.append(ticket)
    for source in published(bootstrap).values():
        for rule in source.rules:
            if rule.id == story.first.rule:
                story.source, story.rule = source, rule
    return story


def lines_of(story: Story) -> Iterator[str]:
    """The story as text."""
    first = story.first
    key = "/".join(as_list(first.key))
    yield click.style(f"alert {first.alert}", bold=True)
    yield f"  {first.words.title}"
    yield f"  rule      {first.rule}, version {first.version}{_since(story)}"
    yield f"  customer  {first.customer or 'none, the rule is global'}"
    yield f"  key       {key or '(one for all)'}"
    yield f"  severity  {first.severity}{'; in shadow: recorded, nothing is sent' if first.words.mode == 'shadow' else ''}"
    if first.value is not None:
        yield f"  value     {shown(first.value)}"
    for name, value in first.vars.items():
        yield f"  {name:<9} {shown(value)}"
    yield from _section("what happened", map(_transition, story.transitions))
    yield from _section("the events behind it", _evidence(story))
    yield from _section("messages", _messages(story))
    if story.tickets:
        yield from _section("tickets", map(_ticket, story.tickets))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield ""
    yield click.style(title, bold=True)
    yield from (f"  {line}" for line in lines)


def _since(story: Story) -> str:
    if story.rule is None:
        return ", which is not among those that were pushed any more"
    return (
        ""
        if story.rule.version == story.first.version
        else f"; it has changed since, to version {story.rule.version}"
    )


def _transition(transition: Transition) -> str:
    due = f"due: {', '.join(words)}" if (words := due_words(transition)) else ""
    cause = ""
    if transition.cause is not None:
        cause = f"by the event {transition.cause.id} of {transition.cause.source}"
    elif transition.state == "firing":
        cause = "by the clock"
    elif transition.state == "resolved":
        cause = "its condition is false" + (
            f", value {shown(transition.value)}" if transition.value is not None else ""
        )
    return f"{format_time(transition.at)}  {transition.state:<8}  {'; '.join(filter(None, [cause, due]))}".rstrip()


def _evidence(story: Story) -> Iterator[str]:
    ids = list(dict.fromkeys([*story.first.evidence, *_causes(story)]))
    if not ids:
        yield "none: no event, but the absence of them, made it fire"
    rule, source = story.rule, story.source
    events = [story.evidence[each] for each in ids if each in story.evidence]
    steps: dict[str, Step] = {}
    if rule is not None and source is not None:
        with_profiles = [(each, story.profile(each)) for each in events]
        steps = {step.event.id: step for step in steps_of(source, rule, with_profiles)}
        if events and rule.version != story.first.version:
            yield click.style("the values are those of the rule as it is now", fg="yellow")
    for each in ids:
        event = story.evidence.get(each)
        if event is None:
            yield f"{each}: not on {topic_name(SIGNALS)} any more, which keeps events {_days(SIGNALS)} days"
            continue
        yield f"{format_time(event.time)}  {event.type}  {event.id}"
        step = steps.get(each)
        for clause in step.clauses if step is not None else ():
            yield f"  {clause.name}:"
            yield from (f"    {line}" for line in table(clause.parts))
        if step is None or not step.clauses:
            yield f"  data: {shown(event.data)[:500]}"


def _messages(story: Story) -> Iterator[str]:
    if not story.messages:
        told = any(each.notify for each in story.transitions)
        yield "none on the topic yet" if told else "none: nothing was due"
    for fates in story.messages.values():
        fates.sort(key=lambda each: each.at)
        last = fates[-1]
        what = f"{last.channel} to {last.recipient}" + (
            f" ({last.template}{f', {last.locale}' if last.locale else ''})" if last.template else ""
        )
        colour = {"failed": "red", "suppressed": "yellow", "held": "yellow", "expired": "yellow"}.get(
            last.fate, "green"
        )
        yield f"{what}: {click.style(last.fate, fg=colour)}" + (f", {last.reason}" if last.reason else "")
        if last.summary:
            yield f"  “{last.summary}”"
        yield from (
            f"  {format_time(each.at)}  {each.fate}{f': {each.reason}' if each.reason else ''}"
            for each in fates
        )


def _ticket(ticket: TicketRecord) -> str:
    return f"{format_time(ticket.at)}  #{ticket.number} in {ticket.queue}: {ticket.state}, “{ticket.subject}”"


def _causes(story: Story) -> list[str]:
    return [each.cause.id for each in story.transitions if each.cause is not None]


def _holding(
    bootstrap: list[str], topic: Topic, texts: list[str], customer: str | None = None
) -> Iterator[Event]:
    """The events on a topic that hold one of these texts: only those are read whole. None where there is no such topic."""
    needles = [msgspec.json.encode(text)[1:-1] for text in texts]
    for value in values_since(bootstrap, topic_name(topic), 0, key=customer):
        if any(needle in value for needle in needles):
            try:
                yield decode(value)
            except EnvelopeError:
                continue


def _as(event: Event, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(event.data, kind)
    except msgspec.ValidationError:
        return None


def _days(topic: Topic) -> int:
    return (topic.retention_ms or 0) // DAY_MS
