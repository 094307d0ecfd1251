"""The kinds of single values in a rule file: texts, words, numbers, durations, times, expressions, JSON."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contracts.times import parse_time
from rule_engine.expressions import Expression, ExpressionSyntaxError, compile_expression
from rule_engine.intervals import WorkingDays
from rule_engine.rules.durations import FORM, UNITS_US, format_duration, looks_like_duration, parse_duration
from rule_engine.rules.reading import LATER, Kind, Reader, Schema, Unread, found, nearest
from rule_engine.rules.yaml import Mapping, Node, Scalar, Sequence, offset_in_text

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY_US = UNITS_US["d"]


class Text(Kind[str]):
    def __init__(self, says: str = "a text", *, pattern: str | None = None, most: int = 1000) -> None:
        self.says, self.pattern, self.most = says, pattern, most

    def read(self, node: Node, reader: Reader) -> str:
        if isinstance(node, Scalar) and node.text and not isinstance(node.value, str):
            raise self.refuse(node, reader, f': write "{node.text[:40]}" in quotes')
        if not isinstance(node, Scalar) or not node.text:
            raise self.refuse(node, reader)
        if len(node.text) > self.most:
            raise reader.wrong(
                node.at, f"expected at most {self.most:,} characters, found {len(node.text):,}"
            )
        if self.pattern and not re.fullmatch(self.pattern, node.text):
            raise self.refuse(node, reader)
        return node.text

    def schema(self) -> Schema:
        out: Schema = {"type": "string", "minLength": 1, "maxLength": self.most}
        return out | ({"pattern": f"^({self.pattern})$"} if self.pattern else {})


class Word(Kind[str]):
    """One of these words; `later` are those that are not built yet."""

    def __init__(self, *words: str, later: tuple[str, ...] = ()) -> None:
        self.words, self.later = words, later
        self.says = "one of " + ", ".join(words) if len(words) > 1 else words[0]

    def read(self, node: Node, reader: Reader) -> str:
        if isinstance(node, Scalar) and node.text in self.words:
            return node.text
        if isinstance(node, Scalar) and node.text in self.later:
            raise reader.wrong(node.at, f"{node.text!r} {LATER}; expected {self.says}", "not-yet")
        raise self.refuse(node, reader, nearest(node.text, self.words) if isinstance(node, Scalar) else "")

    def schema(self) -> Schema:
        return {"enum": list(self.words)}


class Whole(Kind[int]):
    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most
        self.says = f"a whole number from {least:,} to {most:,}" if least < most else f"{least}"

    def read(self, node: Node, reader: Reader) -> int:
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise self.refuse(node, reader)
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Number(Kind[float]):
    def __init__(self, says: str, least: float, most: float) -> None:
        self.says, self.least, self.most = says, least, most

    def read(self, node: Node, reader: Reader) -> float:
        value = node.value if isinstance(node, Scalar) else None
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not self.least <= value <= self.most
        ):
            raise self.refuse(node, reader)
        return float(value)

    def schema(self) -> Schema:
        return {"type": "number", "minimum": self.least, "maximum": self.most}


class Truth(Kind[bool]):
    says = "true or false"

    def read(self, node: Node, reader: Reader) -> bool:
        if not isinstance(node, Scalar) or not isinstance(node.value, bool):
            hint = ""
            if isinstance(node, Scalar) and node.text.lower() in {"yes", "on", "no", "off"}:
                meant = "true" if node.text.lower() in {"yes", "on"} else "false"
                hint = f": write {meant} (in YAML 1.2 {node.text} is a text)"
            raise self.refuse(node, reader, hint)
        return node.value

    def schema(self) -> Schema:
        return {"type": "boolean"}


_WORKING_DAYS = re.compile(r"([0-9]{1,4})wd", re.ASCII)


class Duration(Kind[int]):
    """Microseconds."""

    def __init__(self, *, zero: bool = False) -> None:
        self.zero = zero
        self.says = "a duration such as 90s, 48h or 1d12h"

    def read(self, node: Node, reader: Reader) -> int:
        if not isinstance(node, Scalar):
            raise self.refuse(node, reader)
        if _WORKING_DAYS.fullmatch(node.text):
            raise self.refuse(
                node,
                reader,
                ": working days are for within, grace and before, with `time_interval` beside them",
            )
        try:
            micros = parse_duration(node.text)
        except ValueError as error:
            raise reader.wrong(node.at, f"expected a duration, found {found(node)}: {error}") from None
        if micros == 0 and not self.zero:
            raise reader.wrong(node.at, "expected a duration longer than 0")
        return micros

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{FORM}$"}


@dataclass(frozen=True, slots=True)
class Span:
    """A time that passes, as written: microseconds, or working days. Whether it is right is known with `time_interval`."""

    value: int | WorkingDays
    text: str
    at: int


class SpanOf(Kind[Span]):
    """A duration, or working days such as 2wd. `check_spans` says what `time_interval` has to say of them."""

    says = "a duration such as 90s or 48h, or working days such as 2wd"

    def __init__(self, *, zero: bool = False) -> None:
        self.duration = Duration(zero=zero)

    def read(self, node: Node, reader: Reader) -> Span:
        days = _WORKING_DAYS.fullmatch(node.text) if isinstance(node, Scalar) else None
        if not isinstance(node, Scalar) or days is None:
            value: int | WorkingDays = self.duration.read(node, reader)
        elif int(days[1]) == 0 and not self.duration.zero:
            raise reader.wrong(node.at, "expected a duration longer than 0")
        else:
            value = WorkingDays(int(days[1]))
        return Span(value, node.text if isinstance(node, Scalar) else "", node.at)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^({FORM}|[0-9]{{1,4}}wd)$"}


def check_spans(spans: Iterable[Span], *, in_interval: bool, reader: Reader) -> None:
    """Tells the reader of working days without `time_interval` beside them, and of days with it."""
    for span in spans:
        if isinstance(span.value, WorkingDays) and not in_interval:
            message = f"{span.text} are working days, which need 'time_interval' beside them; a day of 24 hours is 1d"
            reader.wrong(span.at, message)
        elif isinstance(span.value, int) and in_interval and "d" in span.text:
            hours, days = format_duration(span.value, days=False), max(1, round(span.value / DAY_US))
            message = f"{span.text} beside 'time_interval' may mean two things: {hours} of time inside, or {days}wd (working days)?"
            reader.wrong(span.at, message)


class Moment(Kind[datetime]):
    says = "a time as RFC 3339 writes it, such as 2026-01-31T09:30:00Z"

    def read(self, node: Node, reader: Reader) -> datetime:
        if not isinstance(node, Scalar):
            raise self.refuse(node, reader)
        try:
            return parse_time(node.text)
        except ValueError:
            raise self.refuse(node, reader) from None

    def schema(self) -> Schema:
        return {"type": "string", "format": "date-time"}


class Expr(Kind[Expression]):
    """A CEL expression over these variables; YAML's bools, numbers and null count as what they are written as."""

    def __init__(self, names: tuple[str, ...], says: str = "an expression such as data.amount > 100") -> None:
        self.names, self.says = names, says

    def read(self, node: Node, reader: Reader) -> Expression:
        if not isinstance(node, Scalar):
            raise self.refuse(node, reader, ": put the expression in quotes")
        if not node.text.strip():
            raise self.refuse(node, reader)
        try:
            expression = compile_expression(node.text, self.names)
        except ExpressionSyntaxError as error:
            at = offset_in_text(reader.text, node, min(error.offset, len(node.text)))
            raise reader.wrong(at, f"in the expression: {error.message}", "expression") from None
        reader.wrote(expression, node)
        return expression

    def schema(self) -> Schema:
        return {"type": ["string", "boolean", "number", "null"]}


class SpanOrExpr(Kind["Span | Expression"]):
    says = "a duration such as 48h, working days such as 2wd, or an expression that gives a duration, such as duration(data.allowed)"

    def __init__(self, names: tuple[str, ...]) -> None:
        self.span, self.expression = SpanOf(), Expr(names, self.says)

    def read(self, node: Node, reader: Reader) -> Span | Expression:
        if isinstance(node, Scalar) and looks_like_duration(node.text):
            return self.span.read(node, reader)
        return self.expression.read(node, reader)

    def schema(self) -> Schema:
        return {"type": "string"}


class MapOf(Kind[dict[str, Any]]):
    """A mapping of names of one's own; `pattern` is what a name looks like, in words `names`."""

    def __init__(self, item: Kind[Any], says: str, *, pattern: str, names: str, most: int = 50) -> None:
        self.item, self.says, self.pattern, self.names, self.most = item, says, pattern, names, most

    def read(self, node: Node, reader: Reader) -> dict[str, Any]:
        if not isinstance(node, Mapping):
            raise self.refuse(node, reader)
        values: dict[str, Any] = {}
        failed = False
        for name, entry in node.entries.items():
            if not re.fullmatch(self.pattern, name):
                reader.wrong(entry.key.at, f"expected a name of {self.names}, found {name[:60]!r}")
                failed = True
            try:
                values[name] = self.item.read(entry.value, reader)
            except Unread:
                failed = True
        if len(node.entries) > self.most:
            raise reader.wrong(node.at, f"expected at most {self.most} names, found {len(node.entries)}")
        if failed:
            raise Unread
        return values

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^({self.pattern})$"},
            "additionalProperties": self.item.schema(),
            "maxProperties": self.most,
        }


class Json(Kind[Any]):
    """Any JSON value."""

    says = "a JSON value"

    def read(self, node: Node, reader: Reader) -> Any:
        return _json(node, reader)

    def schema(self) -> Schema:
        return {}


class JsonObject(Kind[Any]):
    says = "a mapping, the event's data"

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Mapping):
            raise self.refuse(node, reader)
        return _json(node, reader)

    def schema(self) -> Schema:
        return {"type": "object"}


def _json(node: Node, reader: Reader) -> Any:
    if isinstance(node, Sequence):
        return [_json(item, reader) for item in node.items]
    if isinstance(node, Mapping):
        return {name: _json(entry.value, reader) for name, entry in node.entries.items()}
    if isinstance(node.value, float) and not math.isfinite(node.value):
        raise reader.wrong(node.at, f"expected a JSON value, found {node.text}")
    return node.value
