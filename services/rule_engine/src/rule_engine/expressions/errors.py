"""What can be wrong with an expression.

ExpressionSyntaxError  the text is no expression: found at load, names the place
EvaluationError        the text is fine, this event's values are not: one error value that nothing absorbed
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExpressionSyntaxError(Exception):
    """`message` says what was expected and the nearest right word; `offset` is a code point, from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class EvaluationError(Exception):
    """`message` says what failed: "no such key: amount", "no such overload: int < string"."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """A clause with the candidate nearest to `word`, empty where none is near.

    Words of another language's habit (True, and, None) are answered with CEL's own.
    """
    habit = _HABITS.get(word) or _HABITS.get(word.lower())
    # Long words are no slips of the pen, and comparing them takes quadratic time.
    near = [habit] if habit else get_close_matches(word[:100], candidates, 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


_HABITS = {
    "and": "&&",
    "or": "||",
    "not": "!",
    "is": "==",
    "true": "true",
    "false": "false",
    "none": "null",
    "nil": "null",
    "null": "null",
    "len": "size",
    "length": "size",
    "str": "string",
    "float": "double",
    "lower": "lowerAscii",
    "upper": "upperAscii",
    "toLowerCase": "lowerAscii",
    "toUpperCase": "upperAscii",
    "strip": "trim",
    "any": "exists",
    "existsOne": "exists_one",
    "find": "indexOf",
}
