"""A first rule of three answers, as the text of a rule file with tests that pass. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from contracts.catalogue import CATALOGUE
from rule_engine.expressions import RESERVED
from rule_engine.rules.durations import UNITS_US, format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

Told = Literal["customer", "operations", "nobody"]
WHEN = "each, 3 in 10m, or no order.shipped in 48h"
MOST_VARS = 4
MOST_COUNT = 10_000  # what a test may repeat
START = "2026-01-05T09:00:00Z"
_COUNT = re.compile(r"(\d{1,6})(?:\s+times)?\s+(?:with)?in\s+(\S+)", re.ASCII)
_MISSING = re.compile(r"(?:no|without)\s+(\S+)\s+(?:with)?in\s+(\S+)")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_TYPE = re.compile(r"[a-z0-9][a-z0-9_.-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class When:
    """What is wrong: every event (`count` 1, no `missing`), so many within a time, or one that another does not follow."""

    count: int = 1
    within: str | None = None
    missing: str | None = None


def parse_when(text: str) -> When:
    """Raises ValueError with what is expected."""
    text = " ".join(text.split())
    if text in {"each", "each time", "always"}:
        return When()
    if found := _COUNT.fullmatch(text):
        count, within = int(found[1]), _within(found[2])
        if not 1 <= count <= MOST_COUNT:
            raise ValueError(f"expected 1 to {MOST_COUNT:,} times, found {count}")
        return When(count, within)
    if found := _MISSING.fullmatch(text):
        return When(missing=parse_type(found[1]), within=_within(found[2]))
    raise ValueError(f"expected {WHEN}; found {text[:60]!r}")


def parse_type(text: str) -> str:
    """Raises ValueError where that is no event type that a rule's id can be made of."""
    if not _TYPE.fullmatch(text) or len(text) > 60:
        raise ValueError(f"expected an event type such as order.placed, found {text[:60]!r}")
    if text == "customer.erased":
        raise ValueError(
            "after customer.erased nothing is known of the customer, and nobody is told of anything"
        )
    return text


def example_of(kind: str) -> dict[str, Any]:
    """What such an event carries, as far as the catalogue knows."""
    return dict(CATALOGUE[kind].example) if kind in CATALOGUE else {}


def draft(kind: str, when: When, told: Told, data: Mapping[str, Any], *, schema: bool = False) -> str:
    """The text of a file with one rule and its tests; `data` is what an event of this kind carries.

    `schema` names schema.json in the first line.
    """
    rule_id = _id(kind, when)
    other = example_of(when.missing) if when.missing else {}
    key = _key(data, other if when.missing else data) if when.count == 1 else None
    lines = ["# yaml-language-server: $schema=schema.json"] if schema else []
    lines += [
        "version: 1",
        "rules:",
        f"  - id: {rule_id}",
        f"    title: {_title(kind, when)}",
        "    severity: warning",
        f"    on: {kind}",
        "    # where: data.amount > 100          # only events of which this is true, too",
    ]
    if key:
        lines.append(f"    group_by: data.{key}")
    lines.append(f"    {_condition(when)}")
    values = ", ".join(f"{name}: data.{name}" for name in _values(data, key))
    if values:
        lines.append(f"    vars: {{{values}}}")
    if told != "nobody":
        who = (
            "to: customer, template: notice, channels: [email]"
            if told == "customer"
            else "to: operations, template: notice"
        )
        lines += ["    notify:", f"      - {{{who}}}"]
    due = {"customer": "[email]", "operations": "[operations]", "nobody": "[]"}[told]
    lines += ["tests:", *_tests(rule_id, kind, when, data, other, key, due)]
    return "\n".join(lines) + "\n"


def _tests(
    rule_id: str, kind: str, when: When, data: Mapping[str, Any], other: Mapping[str, Any], key: str | None, due: str
) -> list[str]:  # fmt: skip
    said = (
        json.dumps(data[key] if key else "c1")
        if key is None or isinstance(data[key], str)
        else json.dumps(str(data[key]))
    )
    event = f"type: {kind}, customer: c1, data: {json.dumps(dict(data), ensure_ascii=False)}"
    head = [f"    rule: {rule_id}", f"    start: {START}", "    events:"]
    if when.missing:
        follow = {**other, **({key: data[key]} if key else {})}
        answer = f"type: {when.missing}, customer: c1, data: {json.dumps(follow, ensure_ascii=False)}"
        return [
            f"  - name: {when.missing} did not come within {when.within}", *head, f"      - {{at: 0s, {event}}}",
            f"    until: {when.within}", "    expect:",
            f"      - {{at: {when.within}, state: firing, key: {said}, notify: {due}}}",
            f"  - name: {when.missing} came in time", *head, f"      - {{at: 0s, {event}}}", f"      - {{at: {when.within}, {answer}}}",
            f"    until: {when.within}", "    expect: []",
        ]  # fmt: skip
    if when.within is None:
        return [
            f"  - name: each {kind} is told", *head, f"      - {{at: 0s, {event}}}", "    expect:",
            f"      - {{at: 0s, state: firing, key: {said}, notify: {due}}}",
        ]  # fmt: skip
    step_us = max(
        UNITS_US["ms"], parse_duration(when.within) // when.count // UNITS_US["ms"] * UNITS_US["ms"]
    )
    last = format_duration(step_us * (when.count - 1))
    repeated = (
        f"at: 0s, every: {format_duration(step_us)}, times: {when.count}, " if when.count > 1 else "at: 0s, "
    )
    return [
        f"  - name: {when.count} {kind} within {when.within}", *head, f"      - {{{repeated}{event}}}",
        f"    until: {last}", "    expect:", f"      - {{at: {last}, state: firing, key: {said}, value: {when.count}, notify: {due}}}",
    ]  # fmt: skip


def _within(text: str) -> str:
    try:
        micros = parse_duration(text)
    except ValueError as error:
        raise ValueError(f"expected a duration, found {text[:40]!r}: {error}") from None
    if micros == 0:
        raise ValueError("expected a duration longer than 0")
    return text


def _id(kind: str, when: When) -> str:
    name = (
        f"no-{when.missing}"
        if when.missing
        else kind
        if when.within is None
        else f"{kind}-{when.count}-times"
    )
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-")


def _title(kind: str, when: When) -> str:
    if when.missing:
        return f"No {when.missing} within {when.within} of {kind}"
    if when.within is not None:
        return f"{when.count} times {kind} within {when.within}"
    return CATALOGUE[kind].says.rstrip(".") if kind in CATALOGUE else f"There was {kind}"


def _condition(when: When) -> str:
    if when.missing:
        return f"absence: {{expect: {when.missing}, within: {when.within}}}"
    return (
        "match: {}" if when.within is None else f"event_count: {{gte: {when.count}, within: {when.within}}}"
    )


def _key(data: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """The field that says what an event is about, if both carry one; what nobody knows anything of may have it as well."""
    ids = [
        name for name, value in data.items()
        if _FIELD.fullmatch(name) and (name.endswith("_id") or name in {"id", "ticket", "device", "order"})
        and isinstance(value, str | int) and not isinstance(value, bool) and (name in other or not other)
    ]  # fmt: skip
    return ids[0] if ids else None


def _values(data: Mapping[str, Any], key: str | None) -> list[str]:
    """Fields worth showing to people."""
    return [
        name for name, value in data.items()
        if name != key and _FIELD.fullmatch(name) and name not in RESERVED and isinstance(value, str | int | float)
    ][:MOST_VARS]  # fmt: skip
