"""Rules that fire together and tell the same people: those who are told get two messages where one is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.expressions import parse
from rule_engine.expressions.nodes import Logical
from rule_engine.rules.model import EventCount, Match, Problem, Rule, ValueCount
from rule_engine.rules.parts import covers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rule_engine.expressions import Expression

MOST_RULES = 5_000  # beyond, pairs are too many to look at within a second


def lint_overlap(rules: Iterable[Rule]) -> list[Problem]:
    """A warning on each rule that another one, in whatever file, makes a second voice of."""
    groups: dict[tuple[object, ...], list[Rule]] = {}
    for rule in list(rules)[:MOST_RULES]:
        if rule.mode != "off":
            keys = tuple(" ".join(key.source.split()) for key in rule.group_by)
            groups.setdefault(
                (rule.scope, rule.mode, keys, rule.key_is_list, type(rule.condition)), []
            ).append(rule)
    problems = []
    for group in groups.values():
        for number, rule in enumerate(group):
            others = group[:number] + group[number + 1 :] if len(group) <= 200 else group[:number][-200:]
            said = next(
                (said for other in others if (said := _said(rule, other, later=other in group[:number]))),
                None,
            )
            if said:
                problems.append(Problem(rule.place, said, rule.id, "warning", "overlap"))
    return problems


def _said(rule: Rule, other: Rule, *, later: bool) -> str | None:
    if rule.meaning == other.meaning:
        if not later or not _tell_the_same(rule, other):
            return None
        return f"it is the same as {other.id} ({other.place}): on, where, group_by and condition; they tell the same people twice"
    if _implied(rule, other) and _tell_the_same(rule, other):
        return f"whenever it fires, so does {other.id} ({other.place}), and they tell the same people twice"
    return None


def _implied(rule: Rule, other: Rule) -> bool:
    """Whether each event that counts for one counts for the other, and no more of them are needed there."""
    if not all(any(covers(wide, narrow) for wide in other.on) for narrow in rule.on):
        return False
    if not _clauses(other.where) <= _clauses(rule.where):
        return False
    match rule.condition, other.condition:
        case (Match(), Match()):
            return True
        case (EventCount() as mine, EventCount() as theirs):
            return theirs.gte <= mine.gte and theirs.within_us >= mine.within_us
        case (ValueCount() as mine, ValueCount() as theirs):
            same = mine.of.source == theirs.of.source
            return same and theirs.gte <= mine.gte and theirs.within_us >= mine.within_us
        case _:
            return False  # of two absences a later event may arm the other one anew


def _clauses(where: Expression | None) -> set[str]:
    """The texts joined by &&; none where there is no condition."""
    if where is None:
        return set()
    root = parse(where.source)
    operands = root.operands if isinstance(root, Logical) and root.operator == "&&" else (root,)
    return {" ".join(where.source[each.offset : each.end].split()) for each in operands}


def _tell_the_same(rule: Rule, other: Rule) -> bool:
    return bool(_told(rule) & _told(other))


def _told(rule: Rule) -> set[tuple[str, str]]:
    """Whom it tells by which way."""
    return {
        (f"{each.entry.to.kind}/{each.entry.to.address or ''}", channel)
        for each in rule.notify
        if each.entry.to is not None
        for channel in each.entry.channels
    }
