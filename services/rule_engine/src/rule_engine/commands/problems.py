"""Problems of rule files as people and programs read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rule_engine.rules.model import Problem

Format = Literal["text", "json", "github"]


def show(problems: Sequence[Problem], form: Format = "text", *, err: bool = False) -> None:
    """Print them, one a line; as JSON, a list of objects."""
    match form:
        case "json":
            click.echo(
                json.dumps([_fields(problem) for problem in problems], indent=2, ensure_ascii=False), err=err
            )
        case "github":
            for problem in problems:
                click.echo(_annotation(problem), err=err)
        case "text":
            for problem in problems:
                click.echo(_line(problem), err=err)


def counted(count: int, word: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _line(problem: Problem) -> str:
    level = click.style(f"{problem.level}:", fg="red" if problem.level == "error" else "yellow", bold=True)
    about = f"rule {problem.rule}: " if problem.rule else ""
    return f"{click.style(str(problem.place), bold=True)}: {level} {about}{problem.message}"


def _fields(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.place.file, "line": problem.place.line, "column": problem.place.column, "level": problem.level,
        "rule": problem.rule, "code": problem.code, "message": problem.message,
    }  # fmt: skip


def _annotation(problem: Problem) -> str:
    """A workflow command of GitHub Actions."""
    place = problem.place
    about = f"rule {problem.rule}: " if problem.rule else ""
    file = _escaped(place.file).replace(":", "%3A").replace(",", "%2C")
    where = f"file={file},line={place.line},col={place.column},title={problem.code}"
    return f"::{problem.level} {where}::{_escaped(about + problem.message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
