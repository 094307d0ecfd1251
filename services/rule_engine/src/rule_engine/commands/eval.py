"""`beforehand rules eval`."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import click
from rich.cells import cell_len

from contracts.times import parse_time
from rule_engine.commands.parts import Part, culprit, parts_of
from rule_engine.expressions import ExpressionSyntaxError, compile_expression
from rule_engine.rules.words.selectors import VARS_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDEST = 60


@click.command("eval")
@click.argument("expression", metavar="EXPR")
@click.option(
    "--event",
    "file",
    type=click.File("rb"),
    help="The event to look at: a CloudEvent in JSON, - for the standard input. Of several, one a line, the last one; "
    "the one before it is `previous`, and a customer.updated among them gives `customer`.",
)
def evaluate(expression: str, file: IO[bytes] | None) -> None:
    """Say what an expression of the rule language comes to, and each of its parts.

    Without --event the variables `data`, `customer` and `previous` are {}, and `now` is the time.

    \b
    beforehand rules eval 'data.amount > 100 && data.country in ["DE", "AT"]' --event failed.json
    beforehand rules eval 'timestamp("2026-03-29T00:30:00Z").getHours("Europe/Berlin")'

    Exit code 1 where it ends in an error, 2 on what is no expression or no event.
    """  # fmt: skip  # noqa: D301 - click wants a real backspace
    try:
        compile_expression(expression, VARS_NAMES)
        parts = parts_of(expression, _arguments(file))
    except ExpressionSyntaxError as error:
        _point(expression, error.offset, error.message)
        sys.exit(2)
    whole, *below = parts
    lines = table(below) if below else []
    if not whole.failed:
        click.echo("\n".join([click.style(whole.shown, bold=True), *([""] if lines else []), *lines]))
        return
    click.echo("".join(f"{line}\n" for line in lines))
    began = culprit(parts) or whole
    _point(expression, began.offset, began.shown, len(began.text))
    sys.exit(1)


def table(parts: Sequence[Part]) -> list[str]:
    """A line a part, what lies below it indented, and its value; an error in red."""
    texts = [f"{'  ' * part.depth}{_cut(part.text)}" for part in parts]
    width = max(map(cell_len, texts))
    return [
        f"{text}{' ' * (width - cell_len(text))}  "
        + click.style(f"error: {part.shown}" if part.failed else _cut(part.shown, 200), fg="red" if part.failed else None)
        for text, part in zip(texts, parts, strict=True)
    ]  # fmt: skip


def _cut(text: str, most: int = WIDEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _point(expression: str, offset: int, message: str, length: int = 1) -> None:
    """The message, the line of the expression, and carets under the place."""
    start = expression.rfind("\n", 0, offset) + 1
    end = expression.find("\n", offset)
    line = expression[start : len(expression) if end < 0 else end].expandtabs(1)
    click.echo(f"{click.style('error:', fg='red', bold=True)} {message}", err=True)
    click.echo(f"  {line}", err=True)
    place = line[offset - start :][:length]
    carets = click.style("^" * max(1, cell_len(place)), fg="red", bold=True)
    click.echo(f"  {' ' * cell_len(line[: offset - start])}{carets}", err=True)


def _arguments(file: IO[bytes] | None) -> tuple[Any, ...]:
    """What the expression is evaluated over: event, data, customer, now, previous. Exits with 2 where there is no event."""
    now = datetime.now(UTC)
    if file is None:
        return {}, {}, {}, now, {}
    try:
        events = _events(file.read().decode("utf-8-sig"))
        event = events[-1]
        now = parse_time(event["time"]) if "time" in event else now
    except (ValueError, TypeError, RecursionError) as error:
        click.echo(f"{getattr(file, 'name', '-')}: {error}", err=True)
        sys.exit(2)
    profiles = [each.get("data") for each in events[:-1] if each.get("type") == "customer.updated"]
    others = [each.get("data") for each in events[:-1] if each.get("type") != "customer.updated"]
    customer: Any = profiles[-1] if profiles else {}
    previous: Any = others[-1] if others else {}
    data = event.get("data", {})
    attributes = {name: value for name, value in event.items() if name != "data"} | {"time": now}
    return attributes, data, customer or {}, now, previous or {}


def _events(text: str) -> list[dict[str, Any]]:
    """One JSON object, or one a line. Raises ValueError."""
    try:
        read = [json.loads(text)]
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise ValueError(f"no CloudEvent in JSON: {error}") from None
        read = [json.loads(line) for line in lines]
    if not all(isinstance(each, dict) and isinstance(each.get("type"), str) for each in read):
        raise ValueError("no CloudEvent: expected an object with type, time, data …")
    return read
