"""YAML 1.2, core schema, as far as rule files use it: every key and value with its place.

`on`, `off`, `no` and dates are texts; there are no anchors, tags, merge keys or second documents, and no key twice.
libyaml scans (pyyaml's `CSafeLoader`), within a second whatever the bytes; scalars are resolved here, by the core schema.

YamlError
└── lists what is wrong, each with its offset in the text
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml as libyaml

from rule_engine.rules.yaml_errors import explain

MAX_BYTES = 500_000
MAX_NODES = 50_000
MAX_DEPTH = 32
MAX_PROBLEMS = 100

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """`text` is its content as written, `value` what the core schema makes of it; `style` is '' where it is plain."""

    at: int
    end: int
    text: str
    value: Value
    style: str


@dataclass(frozen=True, slots=True)
class Entry:
    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    at: int
    end: int
    entries: dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Sequence:
    at: int
    end: int
    items: list[Node]


Node = Scalar | Mapping | Sequence


class YamlError(ValueError):
    """What keeps a text from being read: (offset, what is wrong), in order."""

    def __init__(self, problems: list[tuple[int, str]]) -> None:
        super().__init__("; ".join(message for _, message in problems))
        self.problems = problems


class Lines:
    """Offsets in a text as lines and columns, both from 1, columns in code points."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def decoded(raw: bytes) -> str:
    """The text of a rule file, which is UTF-8, a byte order mark left out. Raises YamlError, offsets in what precedes it."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise YamlError([(0, "expected UTF-8, found UTF-16: save the file as UTF-8")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig", "replace")
        found = f"the byte 0x{raw[error.start]:02x}"
        raise YamlError([(len(before), f"expected UTF-8, found {found}: save the file as UTF-8")]) from None


def parse(text: str) -> Node | None:
    """The one document of the text, None where it holds nothing. Raises YamlError."""
    _check_characters(text)
    if len(text.encode()) > MAX_BYTES:
        raise YamlError(
            [(0, f"the file is larger than {MAX_BYTES // 1000} kB: split it, rules need not share a file")]
        )
    composer = _Composer(text)
    try:
        node = composer.document()
    except libyaml.MarkedYAMLError as error:
        raise YamlError([explain(text, error)]) from None
    if composer.problems:
        raise YamlError(composer.problems)
    return node


def offset_in_text(text: str, scalar: Scalar, index: int) -> int:
    """Where in the file's text the `index`-th character of a scalar's content stands.

    Exact within quotes, escapes, folded lines and blocks for every character but blanks at their ends.
    """
    if scalar.style == "" and scalar.end - scalar.at == len(scalar.text):
        return scalar.at + index
    places = list(_content_places(text, scalar))
    before = sum(1 for character in scalar.text[:index] if not character.isspace())
    if index < len(scalar.text) and not scalar.text[index].isspace() and before < len(places):
        return places[before]
    if not 0 < before <= len(places):
        return scalar.at
    blanks = len(scalar.text[:index]) - len(scalar.text[:index].rstrip())
    return places[before - 1] + 1 + blanks


_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r\n|.)", re.DOTALL)
_BLANK_ESCAPES = frozenset("t\tnrvf N_LP\r\n")


def _content_places(text: str, scalar: Scalar) -> Iterator[int]:
    """Where each character of the content that is no blank begins: these keep their order however lines are folded."""
    at, end = scalar.at, scalar.end
    if scalar.style in {"|", ">"}:
        at = text.find("\n", at) + 1
    elif scalar.style:
        at, end = at + 1, end - 1
    while at < end:
        character = text[at]
        length = 1
        if scalar.style == '"' and character == "\\" and (escape := _ESCAPE.match(text, at)):
            length = len(escape[0])
            if text[at + 1] in _BLANK_ESCAPES:
                at += length
                continue
        elif scalar.style == "'" and character == "'":
            length = 2
        if not character.isspace():
            yield at
        at += length


# the characters that YAML 1.2 allows (production c-printable), and that UTF-8 can carry
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def _check_characters(text: str) -> None:
    found = _UNPRINTABLE.search(text)
    if found:
        raise YamlError(
            [(found.start(), f"the character U+{ord(found[0]):04X} may not stand in a YAML file")]
        )


class _Composer:
    """Nodes from libyaml's events. What is wrong but does not end the reading is collected in `problems`."""

    def __init__(self, text: str) -> None:
        self.problems: list[tuple[int, str]] = []
        self._lines = Lines(text)
        self._events = iter(libyaml.parse(text, Loader=libyaml.CSafeLoader))
        self._nodes = 0

    def document(self) -> Node | None:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), libyaml.StreamEndEvent):
            return None
        node = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        after = next(self._events)
        if isinstance(after, libyaml.DocumentStartEvent):
            self.problems.append((_span(after)[0], "a second document begins here: a rule file holds one"))
        return node

    def _node(self, event: libyaml.Event, depth: int) -> Node:
        at, end = _span(event)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise YamlError([(at, f"the file holds more than {MAX_NODES:,} values: split it")])
        if depth > MAX_DEPTH:
            raise YamlError([(at, f"more than {MAX_DEPTH} lists and mappings inside each other")])
        if isinstance(event, libyaml.AliasEvent):
            self.problems.append(
                (at, f'an unquoted * is YAML\'s alias, which rule files do not use: write "*{event.anchor}"')
            )
            return Scalar(at, end, f"*{event.anchor}", f"*{event.anchor}", "*")
        self._check_properties(event)
        if isinstance(event, libyaml.SequenceStartEvent):
            return self._sequence(at, depth)
        if isinstance(event, libyaml.MappingStartEvent):
            return self._mapping(at, depth)
        assert isinstance(event, libyaml.ScalarEvent)
        style = event.style or ""
        value = event.value if style else self._resolved(at, event.value)
        return Scalar(at, end, event.value, value, style)

    def _check_properties(self, event: libyaml.Event) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if anchor:
            message = f'an unquoted & is YAML\'s anchor, which rule files do not use: write "&{anchor}…"'
            self.problems.append((_span(event)[0], message))
        if tag:
            message = "an unquoted ! begins a YAML tag, which rule files do not use: put the text in quotes"
            self.problems.append((_span(event)[0], message))

    def _sequence(self, at: int, depth: int) -> Sequence:
        items = []
        while not isinstance(event := next(self._events), libyaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return Sequence(at, _span(event)[1], items)

    def _mapping(self, at: int, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), libyaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(key, Scalar):
                self.problems.append((key.at, "expected a key that is a text, found a list or mapping"))
            elif key.text == "<<" and not key.style:
                self.problems.append(
                    (key.at, "<< (merge) is not YAML 1.2: use `defaults` for what rules share")
                )
            elif key.text in entries:
                line, _ = self._lines.place(entries[key.text].key.at)
                self.problems.append(
                    (key.at, f"the key {key.text[:60]!r} stands twice: first in line {line}")
                )
            else:
                entries[key.text] = Entry(key, value)
            if len(self.problems) >= MAX_PROBLEMS:
                raise YamlError(self.problems)
        return Mapping(at, _span(event)[1], entries)

    def _resolved(self, at: int, text: str) -> Value:
        """What the core schema makes of a plain scalar (YAML 1.2.2, section 10.3.2)."""
        if text in _WORDS:
            return _WORDS[text]
        number: int | float
        if _INT.fullmatch(text):
            base = {"0o": 8, "0x": 16}.get(text[:2], 10)
            digits = text[2:] if base != 10 else text
            if len(digits) > 400:
                self.problems.append((at, "a number of more than 400 digits"))
                return 0
            number = int(digits, base)
            return number if -(2**63) <= number < 2**63 else float(number)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if math.isinf(number):
                self.problems.append((at, f"{text[:40]} is beyond what a double holds"))
            return number
        return _SPECIAL.get(text.lower(), text) if text.lstrip("+-")[:1] == "." else text


def _span(event: libyaml.Event) -> tuple[int, int]:
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


_WORDS: dict[str, Value] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_SPECIAL: dict[str, float] = {
    ".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan,
}  # fmt: skip
