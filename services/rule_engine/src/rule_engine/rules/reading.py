"""Reading a rule file: what a value may be, how it is read, and its JSON Schema, said once for each kind of value.

`read` gives the value, or tells the `Reader` what is wrong and where, and raises `Unread`: whoever reads several values
goes on with the next one, so that a person sees all that is wrong at once.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rule_engine.rules.model import NamedInterval, Place, Problem, RuleFileError
from rule_engine.rules.yaml import Lines, Mapping, Node, Scalar, Sequence, offset_in_text

if TYPE_CHECKING:
    from collections.abc import Iterable

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
Schema = dict[str, Any]
MAX_PROBLEMS = 100


class Unread(Exception):  # noqa: N818 - a signal that the value is not there, not an error of its own
    """The value is wrong, and the reader has been told."""


class Reader:
    """One file being read: collects its problems. `rule` is the id of the rule being read, if any.

    `intervals` are those that rules may name, `named` those that one did.
    """

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.rule: str | None = None
        self.problems: list[Problem] = []
        self.intervals: dict[str, NamedInterval] = {}
        self.named: set[str] = set()
        self._lines = Lines(text)
        self._written: dict[int, tuple[object, Scalar]] = {}

    def place(self, at: int) -> Place:
        return Place(self.file, *self._lines.place(at))

    def word_at(self, at: int) -> str:
        """The letters and digits that stand there, quotes aside."""
        found = re.compile(r"['\"]?(\w*)").match(self.text, at)
        return found[1] if found else ""

    def wrote(self, made: object, scalar: Scalar) -> None:
        """Remember of which scalar something was made."""
        self._written[id(made)] = made, scalar

    def place_in(self, made: object, offset: int = 0) -> Place:
        """Where the text that something was made of has its `offset`-th character."""
        _, scalar = self._written[id(made)]
        return self.place(offset_in_text(self.text, scalar, offset))

    def wrong(self, at: int, message: str, code: str = "wrong-value") -> Unread:
        """Notes an error and gives the exception to raise. Raises RuleFileError itself where there are too many."""
        self.note(Problem(self.place(at), message, self.rule, "error", code))
        return Unread()

    def note(self, problem: Problem) -> None:
        """Raises RuleFileError at the hundredth error; warnings beyond a hundred are not kept."""
        same = [each for each in self.problems if each.level == problem.level]
        if problem in same or (problem.level == "warning" and len(same) >= MAX_PROBLEMS):
            return  # a wrong default is wrong in every rule that has it
        self.problems.append(problem)
        if problem.level == "error" and len(same) + 1 >= MAX_PROBLEMS:
            more = Problem(problem.place, f"{MAX_PROBLEMS} errors or more: mend these first", code="too-many")
            raise RuleFileError([*self.problems, more])


class Kind(ABC, Generic[T_co]):
    """A kind of value. `says` completes "expected …"."""

    says: str

    @abstractmethod
    def read(self, node: Node, reader: Reader) -> T_co: ...

    @abstractmethod
    def schema(self) -> Schema: ...

    def refuse(self, node: Node, reader: Reader, hint: str = "") -> Unread:
        return reader.wrong(node.at, f"expected {self.says}, found {found(node)}{hint}")


def found(node: Node) -> str:
    """What stands there, in a few words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    match node.value:
        case None:
            return "nothing" if not node.text else node.text
        case bool() | int() | float():
            return node.text[:60]
        case _:
            return repr(node.text if len(node.text) <= 60 else node.text[:60] + "…")


def nearest(word: str, words: Iterable[str]) -> str:
    """A clause with the word nearest to a wrong one; empty where none is near."""
    near = get_close_matches(word[:60], list(words), 1, 0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


LATER = "belongs to the language, but this version does not have it yet"


@dataclass(frozen=True)
class Key(Generic[T]):
    """A key of a mapping: what it says, what it takes, and an example as one would write it."""

    name: str
    kind: Kind[T]
    says: str
    example: Any = None
    required: bool = False

    @property
    def such_as(self) -> str:
        """The example as a clause; empty where it is long."""
        return f", such as {self.name}: {self.example}" if isinstance(self.example, str | int) else ""


@dataclass(frozen=True, slots=True)
class Field:
    """A value that was read; `at` and `key_at` are offsets in the file."""

    value: Any
    at: int
    key_at: int


@dataclass(slots=True)
class Fields:
    """What was read of a mapping that begins at `at`. `bad` are keys whose values were wrong."""

    at: int
    fields: dict[str, Field] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)

    def get(self, name: str, default: Any = None) -> Any:
        found = self.fields.get(name)
        return default if found is None else found.value

    def at_value(self, name: str) -> int:
        found = self.fields.get(name)
        return self.at if found is None else found.at

    def at_key(self, name: str) -> int:
        found = self.fields.get(name)
        return self.at if found is None else found.key_at

    def __contains__(self, name: str) -> bool:
        return name in self.fields or name in self.bad

    def over(self, defaults: Fields) -> Fields:
        """These, and the defaults for keys that are not here at all."""
        missing = {name: value for name, value in defaults.fields.items() if name not in self}
        return Fields(self.at, missing | self.fields, self.bad | (defaults.bad - set(self.fields)))


class Table(Kind[Fields]):
    """A mapping with these keys. `later` are words of the language that are not built yet; `elsewhere` says where a key
    that is a word of the language, but not of this mapping, belongs.
    """

    def __init__(
        self, name: str, keys: Iterable[Key[Any]], *, later: Iterable[str] = (),
        elsewhere: dict[str, str] | None = None, schema: Schema | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.says = f"a mapping of {name}'s keys" if keys else "{}"
        self.keys = {key.name: key for key in keys}
        self.later = frozenset(later)
        self.elsewhere = elsewhere or {}
        self.more_schema = schema or {}

    def read(self, node: Node, reader: Reader) -> Fields:
        """Gives also what is good of a mapping with wrong values; `bad` names those."""
        if not isinstance(node, Mapping):
            words = ", ".join(list(self.keys)[:4]) + (" …" if len(self.keys) > 4 else "")
            raise self.refuse(node, reader, f" (its keys are {words})" if words else "")
        fields = Fields(node.at)
        meant: set[str] = set()
        for name, entry in node.entries.items():
            key = self.keys.get(name)
            if key is None:
                meant.update(get_close_matches(name[:60], list(self.keys), 1, 0.6))
                self._unknown(name, entry.key.at, reader)
                fields.bad.add(name)
                continue
            try:
                value = key.kind.read(entry.value, reader)
            except Unread:
                fields.bad.add(name)
            else:
                fields.fields[name] = Field(value, entry.value.at, entry.key.at)
                inside = value if isinstance(value, list) else [value]
                if any(isinstance(each, Fields) and each.bad for each in inside):
                    fields.bad.add(name)
        only_later = bool(node.entries) and self.later.issuperset(node.entries)
        for name, key in self.keys.items():
            if key.required and name not in fields:
                fields.bad.add(name)
                if name not in meant and not only_later:
                    reader.wrong(node.at, f"{self.name} needs {name!r}{key.such_as}", "missing-key")
        return fields

    def _unknown(self, name: str, at: int, reader: Reader) -> None:
        if name in self.later:
            reader.wrong(at, f"{name!r} {LATER}", "not-yet")
        elif name in self.elsewhere:
            reader.wrong(
                at, f"{name!r} does not belong in {self.name}: {self.elsewhere[name]}", "misplaced-key"
            )
        else:
            hint = nearest(name, [*self.keys, *self.later])
            if not hint and (meant := get_close_matches(name[:60], list(self.elsewhere), 1, 0.6)):
                hint = f"; did you mean {meant[0]!r}? {self.elsewhere[meant[0]]}"
            hint = hint or ("; expected " + ", ".join(self.keys) if self.keys else "; it has none")
            reader.wrong(at, f"unknown key {name[:60]!r} in {self.name}{hint}", "unknown-key")

    def schema(self) -> Schema:
        properties = {}
        for name, key in self.keys.items():
            said: Schema = {"description": key.says}
            if key.example is not None:
                said["examples"] = [key.example]
            properties[name] = key.kind.schema() | said
        required = [name for name, key in self.keys.items() if key.required]
        out: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return out | ({"required": required} if required else {}) | self.more_schema


class ListOf(Kind[list[T_co]]):
    def __init__(
        self, item: Kind[T_co], says: str, *, least: int = 1, most: int = 100, unique: bool = False
    ) -> None:
        self.item, self.says, self.least, self.most, self.unique = item, says, least, most, unique

    def read(self, node: Node, reader: Reader) -> list[T_co]:
        if not isinstance(node, Sequence):
            hint = f": write [{node.text}]" if isinstance(node, Scalar) and node.text else ""
            raise self.refuse(node, reader, hint)
        values: list[T_co] = []
        failed = False
        for item in node.items:
            try:
                value = self.item.read(item, reader)
            except Unread:
                failed = True
                continue
            if self.unique and value in values:
                reader.wrong(item.at, f"{found(item)} stands twice in the list", "twice")
                failed = True
            values.append(value)
        if len(node.items) < self.least:
            raise reader.wrong(node.at, f"expected {self.says}, found an empty list")
        if len(node.items) > self.most:
            raise reader.wrong(node.at, f"expected at most {self.most} entries, found {len(node.items)}")
        if failed:
            raise Unread
        return values

    def schema(self) -> Schema:
        out: Schema = {"type": "array", "items": self.item.schema()}
        if self.least:
            out["minItems"] = self.least
        return out | ({"uniqueItems": True} if self.unique else {}) | {"maxItems": self.most}


class ListOfTables(ListOf[Fields]):
    """Gives what is good of the list, so that one wrong entry hides no error in another."""

    def read(self, node: Node, reader: Reader) -> list[Fields]:
        if not isinstance(node, Sequence):
            raise self.refuse(node, reader)
        if len(node.items) > self.most:
            raise reader.wrong(node.at, f"expected at most {self.most:,} entries, found {len(node.items):,}")
        read = []
        for item in node.items:
            try:
                read.append(self.item.read(item, reader))
            except Unread:
                continue
        return read


class Shape(Kind[Any]):
    """One kind where a scalar stands, another for a list, another for a mapping."""

    def __init__(
        self, says: str, *, scalar: Kind[Any] | None = None, sequence: Kind[Any] | None = None,
        mapping: Kind[Any] | None = None,
    ) -> None:  # fmt: skip
        self.says = says
        self.scalar, self.sequence, self.mapping = scalar, sequence, mapping

    def read(self, node: Node, reader: Reader) -> Any:
        kind = {Scalar: self.scalar, Sequence: self.sequence, Mapping: self.mapping}[type(node)]
        if kind is None or (isinstance(node, Scalar) and not node.text and not node.style):
            raise self.refuse(node, reader)
        return kind.read(node, reader)

    def schema(self) -> Schema:
        kinds = [kind for kind in (self.scalar, self.sequence, self.mapping) if kind is not None]
        return {"anyOf": [kind.schema() for kind in kinds]}
