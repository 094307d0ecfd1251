"""What pushing a rule file changes, rule by rule. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rule_engine.rules.model import Rule


@dataclass(frozen=True, slots=True)
class Change:
    rule: str
    kind: Literal["added", "changed", "removed"]
    says: str


def changes_between(before: Iterable[Rule], after: Iterable[Rule]) -> list[Change]:
    """Of each rule that is not as it was, by id."""
    old = {rule.id: rule for rule in before}
    new = {rule.id: rule for rule in after}
    changes = []
    for rule_id in sorted(old.keys() | new.keys()):
        if rule_id not in old:
            changes.append(Change(rule_id, "added", f"new, {new[rule_id].mode}"))
        elif rule_id not in new:
            changes.append(Change(rule_id, "removed", "gone; its alerts end, and nobody is told"))
        elif old[rule_id].version != new[rule_id].version:
            changes.append(Change(rule_id, "changed", _effect(old[rule_id], new[rule_id])))
    return changes


def _effect(old: Rule, new: Rule) -> str:
    """What becomes of a changed rule's state (rule language, "A changed rule")."""
    if "off" in {old.mode, new.mode} and old.mode != new.mode:
        return (
            "turned off; its alerts end, and nobody is told"
            if new.mode == "off"
            else "turned on, begins anew"
        )
    if old.identity != new.identity:
        return "another scope, group_by or condition: its alerts end, nobody is told, and it begins anew"
    if old.meaning != new.meaning:
        return "what fires goes on, its windows and waits begin anew"
    return "what fires, its windows and its waits go on"
