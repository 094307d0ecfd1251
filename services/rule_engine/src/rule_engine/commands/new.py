"""`beforehand rules new`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import click

from contracts.catalogue import CATALOGUE
from rule_engine.commands.arguments import Unusable
from rule_engine.commands.draft import WHEN, Told, When, draft, example_of, parse_type, parse_when
from rule_engine.commands.problems import counted, show
from rule_engine.commands.side_by_side import side_by_side
from rule_engine.commands.trial import run_test
from rule_engine.rules.load import load_text
from rule_engine.rules.model import RuleFileError
from rule_engine.rules.reading import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

TOLD = ("customer", "operations", "nobody")


class Answer(click.ParamType):
    """An answer that a function reads; what is wrong with it is asked again."""

    name = "text"

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.option(
    "--event",
    "file",
    type=click.File("rb"),
    help="An example of the event: a CloudEvent in JSON; - is the standard input. Nothing is asked then.",
)
@click.option("--when", type=Answer(parse_when), help=f"When it is wrong: {WHEN}. With --event: each.")
@click.option("--tell", type=click.Choice(TOLD), help="Who is told. With --event: customer.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="The file; - prints it. Default: the rule's id, as in order-placed.yaml.",
)
def new(file: IO[bytes] | None, when: When | None, tell: str | None, out: Path | None) -> None:
    """Write a first rule, with a test that passes.

    Asks three questions: which event it is about, when it is wrong, who is told. Or takes an example of the event.

    \b
    beforehand rules new
    beforehand rules new --event failed.json --when '3 in 10m'
    beforehand rules new --event placed.json --when 'no order.shipped in 48h' --tell operations

    Exit code 2 where the file is there already, or the example is no event of a customer.
    """  # fmt: skip  # noqa: D301 - click wants a real backspace
    if file is not None:
        kind, data = _example(file)
        when, tell = when or When(), tell or "customer"
    else:
        kind = _ask("Which event is it about", Answer(parse_type), "order.placed")
        if kind not in CATALOGUE:
            hint = nearest(kind, CATALOGUE) or "; any other is welcome too"
            click.echo(f"  (the catalogue does not know {kind!r}{hint})", err=True)
        when = when or _ask(f"When is it wrong ({WHEN})", Answer(parse_when), "each")
        tell = tell or _ask("Who is told", click.Choice(TOLD), "customer")
        data = example_of(kind)
    text = draft(kind, when, cast("Told", tell), data, schema=_has_schema(out))
    _write(text, out)


def _ask(question: str, kind: click.ParamType, default: str) -> Any:
    return click.prompt(question, type=kind, default=default, err=True)


def _example(file: IO[bytes]) -> tuple[str, dict[str, Any]]:
    """Its type and data. Raises Unusable where it is none."""
    name = getattr(file, "name", "-")
    try:
        event = json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unusable(f"{name}: no CloudEvent in JSON: {error}") from None
    kind = event.get("type") if isinstance(event, dict) else None
    if not isinstance(kind, str):
        raise Unusable(f"{name}: no CloudEvent: expected an object with type, customerid, data …")
    data = event.get("data", {})
    if not isinstance(data, dict):
        raise Unusable(f"{name}: its data is no object, so no expression can name what it carries")
    if event.get("customerid") is None:
        raise Unusable(f"{name}: it has no customerid: only rules with `scope: global` count such events")
    try:
        return parse_type(kind), data
    except ValueError as error:
        raise Unusable(f"{name}: {error}") from None


def _has_schema(out: Path | None) -> bool:
    return ((out.parent if out is not None else Path()) / "schema.json").is_file()


def _write(text: str, out: Path | None) -> None:
    try:
        source = load_text(text, "the new rule")
    except RuleFileError as error:
        raise Unusable(f"of this example no rule can be made: {error.problems[0].message}") from None
    [rule] = source.rules
    for outcome in (run_test(source, test) for test in source.tests):
        if not outcome.passed:  # a mistake of ours
            raise click.ClickException(f"the rule's test does not pass:\n{side_by_side(outcome)}")
    if out == Path("-"):
        click.echo(text, nl=False)
        return
    path = out or Path(f"{rule.id}.yaml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Unusable(f"{path} is there already: name another file with --out") from None
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from None
    show(load_text(text, str(path)).warnings, err=True)
    tests = counted(len(source.tests), "test")
    click.echo(
        f"wrote {path}: the rule {rule.id}, with {tests} that {'passes' if len(source.tests) == 1 else 'pass'}"
    )
    click.echo(f"next: beforehand rules test {path}; beforehand rules push {path}")
