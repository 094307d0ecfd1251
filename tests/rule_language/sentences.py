"""The clauses of docs/rule-language.md, and which of them a text quotes.

A clause ends at a full stop or a semicolon. The cells of the table of conditions are clauses of that condition, but for
the first, which only shows one; so are the comments in the blocks of code, and each rule of the grammar.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "rule-language.md"
SHORTEST = 10  # of a quote, but for a clause that is shorter: less than that says nothing
_LONGEST_ASIDE = 80  # a parenthesis up to that long stays in one piece


@dataclass(frozen=True, slots=True)
class Clause:
    heading: str
    text: str

    def __str__(self) -> str:
        return f"{self.heading}: {self.text}"


@dataclass(frozen=True)
class Passage:
    """Clauses that stand together: a quote may go over several. `condition`: the row of the table that it belongs to."""

    heading: str
    texts: tuple[str, ...]
    condition: str | None = None

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        heading = self.heading if self.condition is None else f"{self.heading}, {self.condition}"
        return tuple(Clause(heading, text) for text in self.texts)

    @cached_property
    def _whole(self) -> str:
        return " ".join(map(plain, self.texts))

    @cached_property
    def _places(self) -> list[tuple[Clause, range]]:
        ends = [*accumulate(len(plain(text)) + 1 for text in self.texts)]
        starts = [0, *ends[:-1]]
        return [
            (clause, range(start, end - 1))
            for clause, start, end in zip(self.clauses, starts, ends, strict=True)
        ]

    def quoted(self, name: str) -> Iterator[tuple[Clause, set[int]]]:
        """The clauses of which the name has a part, and the letters of that part: the name, or what stands before one of
        its colons, is verbatim on the page.
        """
        for quote in (name, *(name[: colon.start()] for colon in reversed([*re.finditer(": ", name)]))):
            if letters := self._find(plain(quote)):
                for clause, place in self._places:
                    part = letters.intersection(place)
                    if len(part) >= min(SHORTEST, len(plain(clause.text).rstrip(";."))):
                        yield clause, part
                return

    def _find(self, quote: str) -> set[int]:
        """Where it stands; ` … ` in it may leave something out."""
        found: set[int] = set()
        for piece in [quote] if quote in self._whole else quote.split(" … "):
            there = [range(at.start(), at.end()) for at in re.finditer(re.escape(piece), self._whole)]
            short = len(piece) < SHORTEST and piece.rstrip(";.") not in (
                plain(text).rstrip(";.") for text in self.texts
            )
            if short or not there:
                return set()
            found.update(*there)
        return found


def passages(page: str) -> Iterator[Passage]:
    heading = ""
    for number, part in enumerate(re.split(r"^```(.*)$", page, flags=re.MULTILINE)):
        if number % 4 == 2:  # between an opening fence and its closing one
            yield from (Passage(heading, texts) for texts in _of_code(part))
        elif number % 4 == 0:
            for block in re.split(r"\n(?=\s*\n|[-#|>])", part):
                text = " ".join(block.split())
                if text.startswith("#"):
                    heading = text.lstrip("# ").partition(" (")[0].partition(":")[0]
                elif text.startswith("| `"):
                    yield from _of_row(heading, text)
                elif text and not text.startswith(("|", ">")):
                    yield Passage(heading, tuple(_clauses(text.removeprefix("- "))))


@cache
def plain(text: str) -> str:
    """Without what only makes it look well: two that differ in no more say the same."""
    return " ".join(re.sub(r"[`*\"']", "", text).casefold().split())


def quoted(name: str, page: Iterable[Passage], conditions: Collection[str] | None = None) -> list[Clause]:
    """What a text quotes of the page. A row of the table is quoted only by a case of its condition (None: by any)."""
    return [clause for passage in _meant(page, conditions) for clause, _ in passage.quoted(name)]


def unquoted(page: Sequence[Passage], names: Iterable[tuple[str, Collection[str] | None]]) -> list[Clause]:
    """The clauses of which the names, each with its conditions, quote less than half."""
    parts: dict[Clause, set[int]] = {clause: set() for passage in page for clause in passage.clauses}
    for name, conditions in names:
        for passage in _meant(page, conditions):
            for clause, part in passage.quoted(name):
                parts[clause] |= part
    return [clause for clause, part in parts.items() if 2 * len(part) < len(plain(clause.text)) - 1]


def _meant(page: Iterable[Passage], conditions: Collection[str] | None) -> Iterator[Passage]:
    for passage in page:
        if conditions is None or passage.condition is None or passage.condition in conditions:
            yield passage


def _of_row(heading: str, row: str) -> Iterator[Passage]:
    example, fires, exactly, value = (cell.strip() for cell in _cut(row.strip("| "), "|"))
    condition = example.strip("`").partition(":")[0]
    for texts in (_cut(fires, ".;"), _cut(exactly, ".;"), [value]):
        yield Passage(heading, tuple(texts), condition)


def _of_code(block: str) -> Iterator[tuple[str, ...]]:
    for line in block.splitlines():
        code, _, comment = line.partition(" # ")
        if re.match(r"[A-Z]+(:| =)", code):
            yield from ((rule,) for rule in re.split(r"\s{3,}", code.strip()))
        if comment:
            yield tuple(_clauses(comment.strip()))


def _clauses(text: str) -> list[str]:
    """Cut after `;` and `.`; what would be too short to be quoted goes with the one after it, or before it."""
    found: list[str] = []
    for part in _cut(text, ".;"):
        if found and len(plain(found[-1])) < SHORTEST:
            found[-1] += f" {part}"
        else:
            found.append(part)
    if len(found) > 1 and len(plain(found[-1])) < SHORTEST:
        found[-2:] = [" ".join(found[-2:])]
    return found


def _cut(text: str, ends: str) -> list[str]:
    """At blanks that follow one of `ends`; `|` itself is left out. Neither inside code nor in a short parenthesis."""
    code = re.compile(r"`[^`]*`").sub(lambda found: "x" * len(found.group()), text)
    whole = [range(0)]
    opened: list[int] = []
    for at, char in enumerate(code):
        if char in "([{":
            opened.append(at)
        elif char in ")]}" and opened:
            first = opened.pop()
            if at - first <= _LONGEST_ASIDE:
                whole.append(range(first, at))
    cuts = [
        found.end()
        for found in re.finditer(rf"[{ends}][)*\"]*\s+", code)
        if not any(found.start() in aside for aside in whole)
    ]
    return [
        text[a:b].strip(" |") if ends == "|" else text[a:b].strip()
        for a, b in zip([0, *cuts], [*cuts, None], strict=True)
    ]
