"""In a sentence or two: why a rule did not fire, or that it did. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from contracts.times import format_time, from_micros
from rule_engine.expressions import EvaluationError, Expression, parse
from rule_engine.expressions.nodes import Logical
from rule_engine.intervals import Interval
from rule_engine.rules.durations import format_duration
from rule_engine.rules.model import Selector, word_of
from rule_engine.state import NEVER, PAST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rule_engine.commands.account import Account, Step
    from rule_engine.rules.model import Condition

THRESHOLDS = ("gte", "gt", "lte", "lt", "threshold")


def verdict(account: Account) -> list[str]:
    """The sentences, the most telling last."""
    said = ["the rule is off"] if account.rule.mode == "off" else []
    fired = [each for each in account.transitions if each.state == "firing"]
    if fired:
        times = "once" if len(fired) == 1 else f"{len(fired):,} times"
        said.append(
            f"it fired {times}; `beforehand rules explain {fired[-1].alert}` says what became of the last one"
        )
        return said
    return [*said, f"it did not fire: {_reason(account)}"]


def condition_text(condition: Condition) -> str:
    """The condition as a rule file has it, without what is left at its default."""
    words = []
    for each in fields(condition):
        value = getattr(condition, each.name)
        if value is None or value == each.default:
            continue
        name = each.name.removesuffix("_us")
        words.append(f"{name}: {_text(value, duration=name != each.name or name in {'within', 'grace'})}")
    return f"{word_of(condition)}: {{{', '.join(words)}}}"


def _text(value: Any, *, duration: bool) -> str:
    if isinstance(value, Expression):
        return value.source
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and duration:
        return format_duration(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_text(each, duration=duration) for each in value)}]"
    if isinstance(value, Interval):
        return f"{{{', '.join(f'{key}: {words}' for key, words in value.written().items())}}}"
    return value.type if isinstance(value, Selector) else str(value)


def _reason(account: Account) -> str:
    if not account.types:
        return "the customer has no event in this time"
    picked = [step for step in account.steps if "on" in step.roles]
    if not picked:
        return _no_event(account)
    matched = [step for step in picked if step.matches]
    if not matched:
        return _no_match(picked)
    count = f"{len(matched):,} {'event' if len(matched) == 1 else 'events'} matched"
    return "; ".join([count, *_not_true(account, matched)])


def _no_event(account: Account) -> str:
    wanted = ", ".join(dict.fromkeys(selector.type for selector in account.rule.on))
    there = ", ".join(f"{name} ({count:,})" for name, count in account.types.most_common(8))
    narrowed = any(clause.name == "on: where" for step in account.steps for clause in step.clauses)
    if narrowed:
        return f"no {wanted} of the customer is as `on` wants it"
    return f"no event of the customer is of type {wanted}; there were {there}"


def _no_match(picked: Sequence[Step]) -> str:
    keys = [error for step in picked if isinstance(error := step.roles["on"], EvaluationError)]
    if keys:
        return f"{len(keys):,} of {len(picked):,} have no key, the last one's ends in an error: {keys[-1].message}"
    false: Counter[str] = Counter()
    for step in picked:
        false.update(clause for clause in _false_clauses(step))
    named = "; ".join(
        f"{clause} was not true of {count:,} of {len(picked):,}" for clause, count in false.most_common(3)
    )
    return f"`where` was true of no event: {named}"


def _false_clauses(step: Step) -> Iterator[str]:
    """The parts of `where`, joined by &&, that were not true."""
    for clause in step.clauses:
        if clause.name != "where" or clause.holds:
            continue
        whole = clause.parts[0]
        root = parse(whole.text)
        if not isinstance(root, Logical) or root.operator != "&&":
            yield whole.text
            continue
        values = {part.text: part.value for part in clause.parts if part.depth == 1}
        for operand in root.operands:
            text = whole.text[operand.offset : operand.end]
            if values.get(text) is not True:
                yield text


def _not_true(account: Account, matched: Sequence[Step]) -> Iterator[str]:
    rule, end = account.rule, account.end
    late = [
        step for step in matched if step.before.memory_us is not None and step.before.memory_us > step.at_us
    ]
    if late:
        yield f"{late[-1].event.id} is older than an event that ended it, which is remembered for {format_duration(rule.lookback_us)}"
    yield from _measured(account, matched)
    yield from _answered(account)
    if end.held_us is not None and end.held_us <= PAST:
        yield "what is true is held back by the cooldown"
    elif end.held_us is not None:
        yield f"it is true, and must be so until {_time(end.held_us)} (`for`)"
    elif end.due_us is not None:
        yield f"it fires at {_time(end.due_us)} if nothing comes before; that is not before the end of what was looked at"


def _measured(account: Account, matched: Sequence[Step]) -> Iterator[str]:
    condition = account.rule.condition
    needs = next(
        (f"{name} {getattr(condition, name):g}" for name in THRESHOLDS if hasattr(condition, name)), None
    )
    if account.windows:
        said = [each.value for each in account.windows if each.true is not None and each.value is not None]
        silent = sum(each.true is None for each in account.windows)
        few = f" (min_events: {condition.min_events:,})" if hasattr(condition, "min_events") else ""
        yield f"{len(account.windows):,} windows ended" + (
            f", {silent:,} of them said nothing{few}" if silent else ""
        )
        if said:
            yield f"from {min(said):g} to {max(said):g} was measured, {needs or 'the condition'} is wanted"
        return
    values = [step.after.value for step in matched if isinstance(step.after.value, int | float)]
    if values and needs:
        yield f"{max(values):g} was the most that was measured, {needs} is wanted"
    elif hasattr(condition, "every_us") and condition.every_us:
        yield f"no window has ended yet, one does every {format_duration(condition.every_us)}"


def _answered(account: Account) -> Iterator[str]:
    """What ended what was armed, or forgot what was counted."""
    for step in account.steps:
        ends = [word for word in step.roles if word != "on"]
        had, has = step.before, step.after
        if ends and had.anything and (not has.anything or (had.due_us is not None and has.due_us is None)):
            what = (
                "what was armed was answered" if had.due_us is not None else "what was counted was forgotten"
            )
            yield f"{what} at {_time(step.at_us)} by {step.event.type} ({step.event.id}, {ends[0]})"


def _time(micros: int) -> str:
    return format_time(from_micros(micros)) if micros < NEVER else "never"
