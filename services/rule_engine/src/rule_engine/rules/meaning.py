"""What two versions of a rule have in common, as hashes: formatting, comments and the order of keys change neither.

`version` covers all of a rule; `meaning` what decides when its condition is true, so that windows, partials and due
times outlive any other edit.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec

from rule_engine.expressions import Expression
from rule_engine.expressions.lexer import tokenize
from rule_engine.intervals import Interval
from rule_engine.rules.model import Place, Rule, Selector

_MEANING = (
    "scope",
    "on",
    "where",
    "group_by",
    "key_is_list",
    "condition",
    "otherwise",
    "for_us",
    "keep_firing_for_us",
)
_encode = msgspec.json.Encoder(order="deterministic").encode


def version_of(rule: Rule) -> str:
    said = _said(rule)
    return _hash({name: said[name] for name in said.keys() - {"place", "version", "meaning"}})


def meaning_of(rule: Rule) -> str:
    said = _said(rule)
    return _hash({name: said[name] for name in said.keys() & _MEANING})


def _hash(value: Any) -> str:
    return hashlib.sha256(_encode(value)).hexdigest()[:16]


def _canonical(value: Any) -> Any:
    match value:
        case Expression():
            source = value.source
            return " ".join(source[token.offset : token.end] for token in tokenize(source))
        case Interval():
            return value.written()
        case Place():
            return None
        case tuple() if value and isinstance(value[0], Selector):
            # which of several selectors picks an event makes no difference
            return sorted((_canonical(selector) for selector in value), key=_encode)
        case tuple() | list():
            return [_canonical(item) for item in value]
        case _ if is_dataclass(value):
            return {"": type(value).__name__} | _said(value)
        case _:
            return value


def _said(value: Any) -> dict[str, Any]:
    """The fields that are not left at their default: what a later release adds changes no hash of what does not use it."""
    return {
        each.name: _canonical(getattr(value, each.name))
        for each in fields(value)
        if getattr(value, each.name) != each.default
    }
