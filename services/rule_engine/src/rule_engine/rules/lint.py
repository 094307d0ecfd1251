"""What is doubtful in rules that load: warnings, each with its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rule_engine.rules.model import Rule
    from rule_engine.rules.reading import Reader


def lint(rules: tuple[Rule, ...], reader: Reader) -> None:
    pass
