"""A rule, and a part of one, as the text that an operations team writes and as the reference has it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from hypothesis import strategies as st
from reference.condition import Asked
from reference.rule import Spec

from rule_engine.rules.load import RuleSource, load_text

T = TypeVar("T")


class Clause(NamedTuple):
    """`words` are what of the language it uses, for the table of what was reached."""

    text: str
    asked: Asked
    words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Written:
    lines: tuple[str, ...]
    spec: Spec
    words: frozenset[str]

    @property
    def text(self) -> str:
        return "\n".join(f"    {line}" for line in self.lines).replace("    ", "  - ", 1)


def source_of(rules: Iterable[Written]) -> RuleSource:
    return load_text("version: 1\nrules:\n" + "\n".join(rule.text for rule in rules) + "\n", "rules.yaml")


class Draw:
    """Draws the words of one condition or rule: keys of a YAML mapping, one after the other."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self.keys: list[str] = []
        self.words: set[str] = set()

    def one_of(self, *options: T) -> T:
        return self._draw(st.sampled_from(options))

    def any(self, strategy: st.SearchStrategy[T]) -> T:
        return self._draw(strategy)

    def key(self, name: str, value: Any, word: str | None = None) -> None:
        self.keys.append(f"{name}: {value}")
        self.words |= {word} if word else set()

    def maybe(
        self, name: str, *options: T | None, show: Callable[[T], str] = str, word: str | None = None
    ) -> T | None:
        """A key that is left out where None is drawn."""
        value = self.one_of(*options)
        if value is not None:
            self.key(name, show(value), word or name)
        return value

    def clause(self, name: str, asked: Asked, *words: str) -> Clause:
        return Clause(
            f"{name}: {{{', '.join(self.keys)}}}",
            asked,
            frozenset({words[0] if words else name, *words, *self.words}),
        )


def seconds(value: int) -> str:
    return f"{value}s"


def micros(value: int | None) -> int | None:
    return None if value is None else value * 1_000_000
