"""From the text of a rule file to rules that can run, or to all that is wrong with it.

The tables in `words` say what each key takes; here stands what several keys say together. Raises RuleFileError.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.records import text_version
from rule_engine.rules.build import rule_of
from rule_engine.rules.lint import Read, lint
from rule_engine.rules.model import NamedInterval, Place, Problem, Rule, RuleFileError
from rule_engine.rules.reading import Fields, Reader, Unread
from rule_engine.rules.tests import RuleTest, tests_of
from rule_engine.rules.words.file import FILE
from rule_engine.rules.words.intervals import Intervals
from rule_engine.rules.yaml import Mapping, YamlError, decoded, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A file that loaded. `warnings` are what is doubtful in it, `borrowed` the intervals of other files that it names."""

    file: str
    text: str
    rules: tuple[Rule, ...]
    tests: tuple[RuleTest, ...] = ()
    warnings: tuple[Problem, ...] = ()
    intervals: tuple[NamedInterval, ...] = ()
    borrowed: tuple[NamedInterval, ...] = ()

    @property
    def version(self) -> str:
        return text_version(self.text)


def load_text(text: str, file: str, intervals: Iterable[NamedInterval] = ()) -> RuleSource:
    """The rules and tests of a file's text; `intervals` are those of other files. Raises RuleFileError with every error,
    each with its place.
    """
    reader = Reader(file, text)
    reader.intervals = {each.name: each for each in intervals}
    try:
        node = parse(text)
    except YamlError as error:
        problems = [Problem(reader.place(at), message, code="yaml") for at, message in error.problems]
        raise RuleFileError(problems) from None
    if node is None:
        return RuleSource(file, text, ())
    own: list[NamedInterval] = []
    try:
        fields = FILE.read(node, reader)
        own = fields.get("time_intervals", [])
        reader.intervals |= {each.name: each for each in own}
        read, tests = _load(fields, reader)
    except Unread:
        read, tests = [], ()
    if reader.problems:
        raise RuleFileError(_sorted(reader.problems))
    lint(read, reader)
    rules = tuple(each.rule for each in read)
    names = {each.name for each in own}
    borrowed = tuple(reader.intervals[name] for name in sorted(reader.named - names))
    return RuleSource(file, text, rules, tests, tuple(_sorted(reader.problems)), tuple(own), borrowed)


def load_bytes(raw: bytes, file: str, intervals: Iterable[NamedInterval] = ()) -> RuleSource:
    """The same of a file's bytes."""
    try:
        text = decoded(raw)
    except YamlError as error:
        before = Reader(file, raw.decode("utf-8-sig", "replace"))
        problems = [Problem(before.place(at), message, code="yaml") for at, message in error.problems]
        raise RuleFileError(problems) from None
    return load_text(text, file, intervals)


def load_paths(paths: Iterable[str | Path], intervals: Iterable[NamedInterval] = ()) -> list[RuleSource]:
    """Every rule file among these files and folders (*.yaml, *.yml, `templates` left out), sorted by name.

    Each may name the intervals of the others, and the given ones. Raises RuleFileError with the errors of all of them, an id
    or an interval's name that two files share among them.
    """
    sources: list[RuleSource] = []
    problems: list[Problem] = []
    files: dict[str, bytes] = {}
    for path in _files(paths, problems):
        try:
            files[str(path)] = path.read_bytes()
        except OSError as error:
            problems.append(_no_file(path, error.strerror or "cannot be read"))
    named = [*intervals, *(each for file, raw in files.items() for each in intervals_of(raw, file))]
    for file, raw in files.items():
        try:
            sources.append(load_bytes(raw, file, named))
        except RuleFileError as error:
            problems += error.problems
    problems += shared_ids(sources)
    if problems:
        raise RuleFileError(problems)
    return sources


def written(source: RuleSource) -> str | list[str]:
    """What `load_written` makes the same source of, whatever has become of other files: its text, and what it borrowed."""
    if not source.borrowed:
        return source.text
    words = {each.name: each.interval.written() for each in source.borrowed if each.interval is not None}
    return [source.text, json.dumps({"time_intervals": words})]


def load_written(written: str | list[str], file: str) -> RuleSource:
    """Raises RuleFileError."""
    text, borrowed = (written, "") if isinstance(written, str) else written
    return load_text(text, file, intervals_of(borrowed, file))


def intervals_of(raw: bytes | str, file: str) -> tuple[NamedInterval, ...]:
    """The time intervals of a file, and nothing else of it: what is wrong with it is told where it is loaded."""
    try:
        text = raw if isinstance(raw, str) else decoded(raw)
        node = parse(text) if "time_intervals" in text else None
        entry = node.entries.get("time_intervals") if isinstance(node, Mapping) else None
        return () if entry is None else tuple(Intervals().read(entry.value, Reader(file, text)))
    except (YamlError, RuleFileError, Unread):
        return ()


def shared_ids(sources: Sequence[RuleSource]) -> list[Problem]:
    """An error for each rule id, and each interval's name, that an earlier file has already."""
    first: dict[str, Rule] = {}
    names: dict[str, NamedInterval] = {}
    problems = []
    for source in sources:
        for rule in source.rules:
            other = first.setdefault(rule.id, rule)
            if other is not rule:
                message = f"the id is taken: {other.place} has it already"
                problems.append(Problem(rule.place, message, rule.id, code="duplicate-id"))
        for named in source.intervals:
            same = names.setdefault(named.name, named)
            if same is not named:
                message = f"the time interval {named.name!r} is there already: {same.place} has it"
                problems.append(Problem(named.place, message, code="duplicate-id"))
    return problems


def _files(paths: Iterable[str | Path], problems: list[Problem]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            inside = [each for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file()]
            kept = [each for each in inside if "templates" not in each.relative_to(path).parts[:-1]]
            if not kept:
                problems.append(_no_file(path, "the folder holds no *.yaml file"))
            found.update(dict.fromkeys(sorted(kept)))
        elif path.exists():
            found[path] = None
        else:
            problems.append(_no_file(path, "there is no such file or folder"))
    return list(found)


def _no_file(path: Path, message: str) -> Problem:
    return Problem(Place(str(path), 1, 1), message, code="no-file")


def _sorted(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.place.line, problem.place.column))


def _load(file: Fields, reader: Reader) -> tuple[list[Read], tuple[RuleTest, ...]]:
    defaults: Fields = file.get("defaults") or Fields(file.at)
    rules: dict[str, Read] = {}
    known: dict[str, int] = {}
    for own in file.get("rules", ()):
        fields = own.over(defaults)
        reader.rule = rule_id = fields.get("id")
        if rule_id in known:
            first = reader.place(known[rule_id]).line
            message = f"the id {rule_id!r} stands twice in this file: first in line {first}"
            reader.wrong(own.at_value("id"), message, "duplicate-id")
        elif rule_id is not None:
            known[rule_id] = own.at_value("id")
        try:
            rule = rule_of(fields, reader)
        except Unread:
            continue
        rules[rule.id] = Read(rule, fields)
    reader.rule = None
    if any("id" in own.bad for own in file.get("rules", ())):
        return list(rules.values()), ()  # a test of a rule whose id is wrong is no error of its own
    tests = tests_of(
        file.get("tests", ()), {name: each.rule for name, each in rules.items()}, set(known), reader
    )
    return list(rules.values()), tests
