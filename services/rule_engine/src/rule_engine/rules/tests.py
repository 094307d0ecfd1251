"""The inline tests of a rule file, as loaded: rules, events with their own times, and the transitions expected of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.times import to_micros
from rule_engine.rules.model import Match, Place, Rule
from rule_engine.rules.reading import Fields, Reader, Unread, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_EVENTS = 100_000


@dataclass(frozen=True, slots=True)
class Given:
    """An event of a test. `at_us` is its own time, microseconds since the Unix epoch."""

    at_us: int
    type: str
    id: str
    place: Place
    source: str = "test"
    customer: str | None = None
    subject: str | None = None
    data: Any = None


@dataclass(frozen=True, slots=True)
class Expected:
    """A transition that must happen. `fields` has only what is compared, `notify` among them as a set of words.

    `at_us` is None where the time is not compared; `since_start` is how the author wrote it.
    """

    at_us: int | None
    since_start: str
    fields: Mapping[str, Any]
    place: Place


@dataclass(frozen=True, slots=True)
class RuleTest:
    """`events` are in order of arrival, repeats written out. `until_us` None: the clock ends at the last event."""

    name: str
    rules: tuple[str, ...]
    start_us: int
    events: tuple[Given, ...]
    until_us: int | None
    allowed_lateness_us: int
    expect: tuple[Expected, ...]
    place: Place


def tests_of(
    read: Iterable[Fields], rules: Mapping[str, Rule], known: set[str], reader: Reader
) -> tuple[RuleTest, ...]:
    """The tests that are right; what is wrong with the others is told to the reader. `known` are ids, right or wrong."""
    tests = []
    for fields in read:
        try:
            tests.append(_test(fields, rules, known, reader))
        except Unread:
            continue
    return tuple(tests)


def _test(fields: Fields, rules: Mapping[str, Rule], known: set[str], reader: Reader) -> RuleTest:
    before = len(reader.problems)
    named = fields.get("rule", ())
    ids: tuple[str, ...] = tuple(named) if isinstance(named, list | tuple) else (named,)
    for rule_id in ids:
        if rule_id not in known:
            message = f"no rule {rule_id!r} in this file{nearest(rule_id, known)}"
            reader.wrong(fields.at_value("rule"), message, "unknown-rule")
    given: list[Fields] = fields.get("events", [])
    for event in given:
        _check_repeat(event, reader)
    timed = [rule_id for rule_id in ids if rule_id in rules and _has_timer(rules[rule_id])]
    if timed and "until" not in fields:
        reader.wrong(
            fields.at,
            f"the test needs 'until': the rule {timed[0]} goes on by the clock after the last event",
            "missing-key",
        )
    last = max(
        (each.get("at", 0) + each.get("every", 0) * (each.get("times", 1) - 1) for each in given), default=0
    )
    if "until" in fields.fields and fields.get("until") < last:
        reader.wrong(fields.at_value("until"), "'until' lies before the last event")
    for expected in fields.get("expect", ()):
        _check_expected(expected, known, reader)
    if fields.bad or len(reader.problems) > before:
        raise Unread
    start_us = to_micros(fields.get("start"))
    until = fields.get("until")
    settings: Fields | None = fields.get("settings")
    return RuleTest(
        name=fields.get("name"),
        rules=ids,
        start_us=start_us,
        events=_events(given, start_us, reader, fields.at_value("events")),
        until_us=None if until is None else start_us + until,
        allowed_lateness_us=settings.get("allowed_lateness", 0) if settings else 0,
        expect=tuple(_expected(each, start_us, reader) for each in fields.get("expect")),
        place=reader.place(fields.at),
    )


def _has_timer(rule: Rule) -> bool:
    return not isinstance(rule.condition, Match) or bool(
        rule.ends_by_event or any(entry.after_us or entry.every_us for entry in rule.notify)
    )


def _check_repeat(event: Fields, reader: Reader) -> None:
    if ("every" in event) != ("times" in event):
        there, missing = ("every", "times") if "every" in event else ("times", "every")
        reader.wrong(event.at_key(there), f"{there!r} needs {missing!r} beside it", "missing-key")
    elif event.get("times", 1) > 1 and "id" in event:
        reader.wrong(
            event.at_key("id"), "a repeated event can't have one id: leave it out, they get e1, e2, …"
        )


def _check_expected(expected: Fields, known: set[str], reader: Reader) -> None:
    rule_id = expected.get("rule")
    if rule_id is not None and rule_id not in known:
        reader.wrong(
            expected.at_value("rule"),
            f"no rule {rule_id!r} in this file{nearest(rule_id, known)}",
            "unknown-rule",
        )


def _events(lines: list[Fields], start_us: int, reader: Reader, at: int) -> tuple[Given, ...]:
    """Every repeat stands before the first following line whose `at` is later than it."""
    if sum(line.get("times", 1) for line in lines) > MAX_EVENTS:
        raise reader.wrong(at, f"more than {MAX_EVENTS:,} events in one test")
    slots: list[list[tuple[int, int]]] = [[] for _ in range(len(lines) + 1)]
    ats = [line.get("at") for line in lines]
    for number, line in enumerate(lines):
        slot = number + 1
        for repeat in range(1, line.get("times", 1)):
            time = ats[number] + repeat * line.get("every")
            while slot < len(lines) and ats[slot] <= time:
                slot += 1
            slots[slot].append((time, number))
    ordered: list[tuple[int, int]] = []
    for number, slot_times in enumerate(slots):
        ordered += sorted(slot_times)
        if number < len(lines):
            ordered.append((ats[number], number))
    events = []
    for count, (time, number) in enumerate(ordered, 1):
        line = lines[number]
        events.append(
            Given(
                at_us=start_us + time, type=line.get("type"), id=line.get("id", f"e{count}"), place=reader.place(line.at),
                source=line.get("source", "test"), customer=line.get("customer"), subject=line.get("subject"),
                data=line.get("data"),
            )
        )  # fmt: skip
    return tuple(events)


def _expected(fields: Fields, start_us: int, reader: Reader) -> Expected:
    compared = {name: field.value for name, field in fields.fields.items() if name != "at"}
    if "notify" in compared:
        compared["notify"] = frozenset(compared["notify"])
    at = fields.get("at")
    written = "" if at is None else reader.word_at(fields.at_value("at"))
    return Expected(None if at is None else start_us + at, written, compared, reader.place(fields.at))
