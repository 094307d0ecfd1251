"""`beforehand rules test`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rule_engine.commands.junit import junit
from rule_engine.commands.problems import counted, show
from rule_engine.commands.side_by_side import side_by_side
from rule_engine.commands.trial import Outcome, run_test
from rule_engine.rules.load import load_paths
from rule_engine.rules.model import RuleFileError

if TYPE_CHECKING:
    from rule_engine.rules.load import RuleSource


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the outcomes as JUnit's XML.",
)
def test(paths: tuple[str, ...], junit_file: Path | None) -> None:
    """Run the tests that stand in rule files (PATH… are files and folders).

    A test feeds its events to its rules and compares every transition: what fires, falls due and resolves, and when.
    No broker is needed, and no time passes.

    Exit code 1 on a difference, 2 on a file that does not load.
    """  # fmt: skip
    try:
        sources = load_paths(paths)
    except RuleFileError as error:
        show(error.problems, err=True)
        click.echo("nothing was run: mend these first", err=True)
        sys.exit(2)
    started = time.perf_counter()
    tried = {source.file: _try(source) for source in sources}
    seconds = time.perf_counter() - started
    if junit_file is not None:
        junit_file.parent.mkdir(parents=True, exist_ok=True)
        junit_file.write_bytes(junit(tried))
    outcomes = [outcome for each in tried.values() for outcome, _ in each]
    untested = [rule.id for source in sources for rule in source.rules if not _is_tested(rule.id, source)]
    if untested:
        click.echo(click.style(f"without a test: {', '.join(untested)}", fg="yellow"))
    failed = sum(not outcome.passed for outcome in outcomes)
    said = f"{len(outcomes) - failed} of {counted(len(outcomes), 'test')} passed in {seconds:.2f} s"
    click.echo(click.style(said, fg="red" if failed else "green", bold=True))
    sys.exit(1 if failed else 0)


def _try(source: RuleSource) -> list[tuple[Outcome, float]]:
    """Runs a file's tests, and says what became of each as it goes."""
    if source.tests:
        click.echo(click.style(source.file, bold=True))
    tried = []
    for each in source.tests:
        started = time.perf_counter()
        outcome = run_test(source, each)
        tried.append((outcome, time.perf_counter() - started))
        mark = click.style("✓", fg="green") if outcome.passed else click.style("✗", fg="red")
        click.echo(f"  {mark} {', '.join(each.rules)}: {each.name}")
        if not outcome.passed:
            click.echo(click.style(f"      {each.place}", dim=True))
            click.echo("".join(f"      {line}\n" for line in side_by_side(outcome).splitlines()))
    return tried


def _is_tested(rule_id: str, source: RuleSource) -> bool:
    return any(rule_id in each.rules for each in source.tests)
