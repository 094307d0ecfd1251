"""`match: {}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rule_engine.rules.conditions.word import ConditionWord
from rule_engine.rules.model import Match
from rule_engine.rules.reading import Table

if TYPE_CHECKING:
    from rule_engine.rules.reading import Fields, Reader


def _build(_fields: Fields, _rule: Fields, _reader: Reader) -> Match:
    return Match()


MATCH = ConditionWord(Table("match", []), "Fires on each matching event.", {}, _build)
