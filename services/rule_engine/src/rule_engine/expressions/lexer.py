"""Text to tokens, as CEL's grammar has them, each with its place in code points."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rule_engine.expressions.errors import ExpressionSyntaxError

MAX_CODE_POINTS = 10_000

Kind = Literal["int", "double", "string", "name", "operator", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """`text` as it was written, for a string its value with the escapes resolved."""

    kind: Kind
    text: str
    offset: int
    end: int


def tokenize(source: str) -> list[Token]:
    """The tokens of `source`, the last of kind `end`.

    Raises ExpressionSyntaxError at a character that begins no token, an open string or a wrong escape.
    """
    if len(source) > MAX_CODE_POINTS:
        message = f"an expression has at most {MAX_CODE_POINTS:,} characters, this one {len(source):,}"
        raise ExpressionSyntaxError(message, MAX_CODE_POINTS)
    tokens: list[Token] = []
    offset = 0
    while offset < len(source):
        found = _TOKEN.match(source, offset)
        if found is None:
            raise _unreadable(source, offset)
        group, end = found.lastgroup, found.end()
        if group == "string":
            tokens.append(Token("string", _string_value(found.group(), offset), offset, end))
        elif group in {"int", "double"}:
            if source[end : end + 1] in {"u", "U"}:
                raise ExpressionSyntaxError("there are no unsigned integers here: leave out the 'u'", end)
            tokens.append(Token("int" if group == "int" else "double", found.group(), offset, end))
        elif group == "name":
            if found.group().lower() in {"b", "br", "rb"} and source[end : end + 1] in {"'", '"'}:
                raise ExpressionSyntaxError("there are no bytes here: leave out the 'b'", offset)
            tokens.append(Token("name", found.group(), offset, end))
        elif group == "operator":
            tokens.append(Token("operator", found.group(), offset, end))
        offset = end
    tokens.append(Token("end", "", len(source), len(source)))
    return tokens


_TOKEN = re.compile(
    r"""
      (?P<blank>[ \t\n\f\r]+|//[^\n]*)
    | (?P<string>[rR](?:'''.*?'''|\"""[\s\S]*?\"""|'[^'\r\n]*'|"[^"\r\n]*")
               |'''(?:[^\\]|\\[\s\S])*?'''|\"""(?:[^\\]|\\[\s\S])*?\"""
               |'(?!'')(?:[^'\\\r\n]|\\[^\r\n])*'|"(?!"")(?:[^"\\\r\n]|\\[^\r\n])*")
    | (?P<double>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
    | (?P<int>0x[0-9a-fA-F]+|[0-9]+)
    | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    | (?P<operator>&&|\|\||[=!<>]=|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL,
)


def _unreadable(source: str, offset: int) -> ExpressionSyntaxError:
    character = source[offset]
    if character in "'\"":
        return ExpressionSyntaxError(f"the string that begins here has no closing {character}", offset)
    if character == "`":
        return ExpressionSyntaxError("a name in backticks is not known here: write a['b-c']", offset)
    hint = {"=": "==", "&": "&&", "|": "||"}.get(character)
    also = f"; did you mean {hint!r}?" if hint else ""
    return ExpressionSyntaxError(f"unexpected character {character!r}{also}", offset)


def _string_value(literal: str, offset: int) -> str:
    raw = literal[0] in "rR"
    body = literal[1:] if raw else literal
    quotes = 3 if len(body) >= 6 and body[:3] in {"'''", '"""'} else 1
    text = body[quotes:-quotes]
    if raw or "\\" not in text:
        return text

    def unescape(found: re.Match[str]) -> str:
        if found[1] in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[found[1]]
        code = int(found[2], 8) if found[2] else int(found[3] or found[4] or found[5] or "110000", 16)
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            wrong = f"{found[0]} is no escape; write \\\\ for a backslash, or r'…' for a raw string"
            raise ExpressionSyntaxError(wrong, offset + quotes + found.start())
        return chr(code)

    return _ESCAPE.sub(unescape, text)


_SIMPLE_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip
_HEX = "[0-9a-fA-F]"
_ESCAPE = re.compile(
    rf"\\(?:([abfnrtv\\?\"'`])|([0-3][0-7][0-7])|[xX]({_HEX}{{2}})|u({_HEX}{{4}})|U({_HEX}{{8}})|.)",
    re.DOTALL,
)
