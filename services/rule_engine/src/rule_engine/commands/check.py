"""`beforehand rules check`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rule_engine.commands.problems import Format, counted, show
from rule_engine.rules.lint_overlap import lint_overlap
from rule_engine.rules.lint_templates import lint_templates
from rule_engine.rules.load import load_paths
from rule_engine.rules.model import Problem, RuleFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rule_engine.rules.load import RuleSource


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="text for people, json for programs, github for annotations in a pull request.",
)
@click.option(
    "--templates",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of templates. Default: $BEFOREHAND_TEMPLATES, else the folder templates beside the rules.",
)
def check(paths: tuple[str, ...], form: Format, templates: Path | None) -> None:
    """Find mistakes in rule files (PATH… are files and folders).

    Reads and compiles every rule, and warns of what is doubtful: a rule that can never fire or never resolves, a key
    that leaves out an id, a template that is missing, an event type or a field that nobody knows.

    Exit code 1 on an error, 0 with warnings alone.
    """  # fmt: skip
    try:
        sources = load_paths(paths)
    except RuleFileError as error:
        show(error.problems, form)
        if form == "text":
            click.echo(counted(len(error.problems), "error"), err=True)
        sys.exit(1)
    warnings = [warning for source in sources for warning in source.warnings]
    warnings += missing_templates(sources, templates)
    warnings += lint_overlap(rule for source in sources for rule in source.rules)
    show(warnings, form)
    if form == "text":
        rules = counted(sum(len(source.rules) for source in sources), "rule")
        found = counted(len(warnings), "warning") if warnings else click.style("no problems", fg="green")
        click.echo(f"{rules} in {counted(len(sources), 'file')}: {found}")


def missing_templates(sources: Sequence[RuleSource], folder: Path | None) -> list[Problem]:
    """Warnings, where there is a folder of templates: the given one, the environment's, or `templates` beside a file."""
    given = folder or (Path(named) if (named := os.environ.get("BEFOREHAND_TEMPLATES")) else None)
    problems = []
    for source in sources:
        beside = given or Path(source.file).parent / "templates"
        if beside.is_dir():
            problems += lint_templates(source.rules, beside)
    return problems
