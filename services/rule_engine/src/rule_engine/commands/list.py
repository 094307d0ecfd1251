"""`beforehand rules list`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
import msgspec

from contracts.envelope import EnvelopeError, decode
from contracts.records import LaneRules, RuleFile, RuleFileStatus
from contracts.times import format_time
from contracts.topics import ENGINE_LANES, ENGINE_STATUS, RULES, Topic
from rule_engine.commands.broker import kafka_option, newest_by_key, reaching, servers, topic_name
from rule_engine.commands.problems import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pushed:
    """A file as it was last pushed, what the engine said of it, and the version that each of its partitions has of it."""

    file: RuleFile
    status: RuleFileStatus | None
    running: dict[str, str | None]

    @property
    def state(self) -> Literal["running", "refused", "waiting"]:
        """Waiting: the engine has not taken it everywhere yet, or does not run."""
        if self.status is not None and self.status.version == self.file.version and not self.status.taken:
            return "refused"
        return "running" if self.running and set(self.running.values()) == {self.file.version} else "waiting"


@click.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@kafka_option
def list_files(form: str, kafka: str | None) -> None:
    """Show the rule files that were pushed: by whom, when and why, and which version runs where.

    A version that the engine refused is shown with its problems; the last good one goes on.

    Exit code 3 where no Kafka answers.
    """
    bootstrap = servers(kafka)
    with reaching(bootstrap):
        files = _files(bootstrap)
    if form == "json":
        click.echo(json.dumps([_as_json(each) for each in files], indent=2, ensure_ascii=False))
        return
    if not files:
        click.echo("no rule file was pushed yet: beforehand rules push FILE")
    for each in files:
        click.echo("\n".join([*_lines(each), ""]))


def _files(bootstrap: list[str]) -> list[Pushed]:
    statuses = {each.file: each for each in _read(bootstrap, ENGINE_STATUS, RuleFileStatus)}
    lanes = sorted(_read(bootstrap, ENGINE_LANES, LaneRules), key=lambda lane: (lane.topic, lane.partition))
    return [
        Pushed(
            file,
            statuses.get(file.file),
            {f"{lane.topic}/{lane.partition}": lane.files.get(file.file) for lane in lanes},
        )
        for file in sorted(_read(bootstrap, RULES, RuleFile), key=lambda each: each.file)
    ]


def _read(bootstrap: list[str], topic: Topic, kind: type[T]) -> Iterable[T]:
    for name, value in newest_by_key(bootstrap, topic_name(topic)).items():
        try:
            yield msgspec.convert(decode(value).data, kind)
        except (EnvelopeError, msgspec.ValidationError) as error:
            click.echo(f"{name} on {topic.name} is passed over, it can't be read: {error}", err=True)


def _lines(pushed: Pushed) -> list[str]:
    file = pushed.file
    why = f": {file.why}" if file.why else ""
    lines = [
        f"{click.style(file.file, bold=True)}  version {file.version}",
        f"  pushed {format_time(file.at)} by {file.by}{why}",
    ]
    if pushed.state == "refused":
        assert pushed.status is not None
        lines.append(f"  {click.style('✗ refused', fg='red')}; what there was before goes on")
        lines += [f"    {problem}" for problem in pushed.status.problems]
    elif pushed.status is not None and pushed.status.version == file.version:
        lines.append(f"  {counted(len(pushed.status.rules), 'rule')}: {', '.join(pushed.status.rules)}")
    lines.append(_where(pushed))
    return lines


def _where(pushed: Pushed) -> str:
    at = sum(version == pushed.file.version for version in pushed.running.values())
    others: dict[str | None, list[str]] = {}
    for place, version in pushed.running.items():
        if version != pushed.file.version:
            others.setdefault(version, []).append(place)
    mark = click.style("✓", fg="green") if pushed.state == "running" else click.style("…", fg="yellow")
    head = f"  {mark} runs in {at} of {counted(len(pushed.running), 'partition')}"
    rest = (
        f"{f'version {version}' if version else 'no version'} in {', '.join(places)}"
        for version, places in others.items()
    )
    return "; ".join([head, *rest])


def _as_json(pushed: Pushed) -> dict[str, Any]:
    file, status = pushed.file, pushed.status
    said = status if status is not None and status.version == file.version else None
    return {
        "file": file.file, "version": file.version, "state": pushed.state, "at": format_time(file.at), "by": file.by,
        "why": file.why, "rules": said.rules if said else [], "problems": said.problems if said else [],
        "running": pushed.running,
    }  # fmt: skip
