"""`beforehand rules push`."""

from __future__ import annotations

import getpass
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from contracts.envelope import HEADERS, EnvelopeError, decode, encode, event
from contracts.records import RuleFile, RuleFileStatus
from contracts.topics import ENGINE_STATUS, RULES
from rule_engine.commands.broker import kafka_option, newest_by_key, producer, reaching, servers, topic_name
from rule_engine.commands.changes import Change, changes_between
from rule_engine.commands.check import missing_templates
from rule_engine.commands.problems import counted, show
from rule_engine.commands.published import published, status_of, taken
from rule_engine.commands.side_by_side import side_by_side
from rule_engine.commands.standing import Standing, standing
from rule_engine.commands.trial import run_test
from rule_engine.rules.durations import parse_duration
from rule_engine.rules.load import RuleSource, load_paths, load_text, shared_ids
from rule_engine.rules.model import RuleFileError
from rule_engine.rules.words.intervals import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SOURCE = "/beforehand/rules"
MARKS = {"added": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option("--diff", is_flag=True, help="Only show what would change.")
@click.option("--why", help="A word for those who read the history.")
@click.option(
    "--wait",
    default="30s",
    show_default=True,
    metavar="DURATION",
    help="How long to wait for the engine's word that it has taken them; 0s does not wait.",
)
@kafka_option
def push(paths: tuple[str, ...], diff: bool, why: str | None, wait: str, kafka: str | None) -> None:
    """Let the engine run these rules (PATH… are files and folders).

    Checks them, runs their tests, publishes each file that has changed under its name, and waits until the engine has
    taken it. No restart is needed, and only rules whose meaning changed begin anew. A rule goes when it is taken out of
    its file and the file is pushed again.

    \b
    Exit code 1 where a test failed, or the engine refused a file or did not answer,
              2 on a file that does not load, 3 where no Kafka answers.
    """  # fmt: skip  # noqa: D301 - click wants a real backspace
    try:
        wait_s = parse_duration(wait) / 1_000_000
    except ValueError as error:
        raise click.BadParameter(f"expected {error}", param_hint="--wait") from None
    bootstrap = servers(kafka)
    with reaching(bootstrap):
        sources = _load(paths, bootstrap)
        _test(sources.values())
        files = newest_by_key(bootstrap, topic_name(RULES))
        known, before = _known(files), taken(files, newest_by_key(bootstrap, topic_name(ENGINE_STATUS)))
        others = {name: source for name, source in before.items() if name not in sources}
        _check_ids(sources, others)
        changed = {name: source for name, source in sources.items() if _text_of(known, name) != source.text}
        changes = _changes(sources, others, before)
        _show_changes(sources, known, changes, _counts(bootstrap, changes) if diff else {})
        if diff or not changed:
            return
        versions = _publish(bootstrap, changed, why)
        click.echo(
            f"published {counted(len(changed), 'file')} to {topic_name(RULES)} at {', '.join(bootstrap)}"
        )
        if wait_s:
            _await(bootstrap, versions, wait_s)


def _load(paths: tuple[str, ...], bootstrap: list[str]) -> dict[str, RuleSource]:
    """The files by the name under which they are published, their own without folders.

    They may name time intervals of published files; Kafka is asked for them only if one does.
    """
    try:
        try:
            sources = load_paths(paths)
        except RuleFileError as error:
            if {problem.code for problem in error.problems} != {UNKNOWN}:
                raise
            names = {Path(path).name for path in paths}
            others = (source for name, source in published(bootstrap).items() if name not in names)
            sources = load_paths(paths, [named for source in others for named in source.intervals])
    except RuleFileError as error:
        show(error.problems, err=True)
        click.echo("nothing was published: mend these first", err=True)
        sys.exit(2)
    by_name: dict[str, RuleSource] = {}
    for source in sources:
        other = by_name.setdefault(Path(source.file).name, source)
        if other is not source:
            message = f"{other.file} and {source.file} have the same name, under which they are published: rename one"
            click.echo(message, err=True)
            sys.exit(2)
    show(
        [warning for source in sources for warning in source.warnings] + missing_templates(sources, None),
        err=True,
    )
    return by_name


def _test(sources: Iterable[RuleSource]) -> None:
    outcomes = [run_test(source, test) for source in sources for test in source.tests]
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failed:
        click.echo(f"{click.style('✗', fg='red')} {outcome.test.place}: {outcome.test.name}", err=True)
        click.echo("".join(f"    {line}\n" for line in side_by_side(outcome).splitlines()), err=True)
    if failed:
        click.echo(f"nothing was published: {counted(len(failed), 'test')} failed", err=True)
        sys.exit(1)


def _known(values: Mapping[str, bytes]) -> dict[str, RuleFile]:
    known = {}
    for name, value in values.items():
        try:
            known[name] = msgspec.convert(decode(value).data, RuleFile)
        except (EnvelopeError, msgspec.ValidationError):
            click.echo(f"{name} on the topic is no rule file, it is passed over", err=True)
    return known


def _text_of(known: Mapping[str, RuleFile], name: str) -> str | None:
    return known[name].text if name in known else None


def _check_ids(sources: Mapping[str, RuleSource], others: Mapping[str, RuleSource]) -> None:
    """Two files with one id would be refused by the engine, a time interval that goes be missed: say so before anything is
    published.
    """
    problems = shared_ids([*others.values(), *sources.values()])
    if problems:
        show(problems, err=True)
        click.echo("nothing was published: the engine has these ids from other files", err=True)
        sys.exit(2)
    there = {named.name for source in (*others.values(), *sources.values()) for named in source.intervals}
    for name, source in others.items():
        gone = [each.name for each in source.borrowed if each.name not in there]
        if gone:
            click.echo(
                f"nothing was published: {name} names {', '.join(gone)}, which would be gone", err=True
            )
            sys.exit(2)


def _changes(
    sources: Mapping[str, RuleSource], others: Mapping[str, RuleSource], before: Mapping[str, RuleSource]
) -> dict[str, list[Change]]:
    """What becomes of the rules of each file; also of files that are not pushed, but name a time interval of one that is."""
    named = {each.name: each for source in (*others.values(), *sources.values()) for each in source.intervals}
    changes = {}
    for name, source in {**others, **sources}.items():
        after = source
        if name in others and any(named.get(each.name, each) != each for each in source.borrowed):
            after = load_text(source.text, name, named.values())
        was = before[name].rules if name in before else ()
        changes[name] = changes_between(was, after.rules)
    return {name: changes[name] for name in sorted(changes) if name in sources or changes[name]}


def _counts(bootstrap: list[str], changes: Mapping[str, list[Change]]) -> dict[str, Standing]:
    """What fires and what is armed of the rules that change."""
    concerned = {change.rule for each in changes.values() for change in each if change.kind != "added"}
    return standing(bootstrap, concerned) if concerned else {}


def _show_changes(
    sources: Mapping[str, RuleSource], known: Mapping[str, RuleFile], changes: Mapping[str, list[Change]],
    counts: Mapping[str, Standing],
) -> None:  # fmt: skip
    for name, changed in changes.items():
        same = name in sources and _text_of(known, name) == sources[name].text
        said = "" if changed else ": unchanged" if same else ": no rule changed"
        if name not in sources:
            said = ", not pushed, names a time interval that changes"
        click.echo(f"{click.style(name, bold=True)}{said}")
        for change in changed:
            click.echo(f"  {_line(change)}")
            if change.rule in counts:
                click.echo(f"      now: {counts[change.rule]}")


def _line(change: Change) -> str:
    sign, colour = MARKS[change.kind]
    return f"{click.style(sign, fg=colour, bold=True)} {change.rule}: {change.says}"


def _publish(bootstrap: list[str], changed: Mapping[str, RuleSource], why: str | None) -> dict[str, str]:
    """Gives the version of each file, when Kafka has all of them."""
    now = datetime.now(UTC)
    versions = {}
    with closing(producer(bootstrap)) as sending:
        waiting = []
        for name, source in changed.items():
            version = versions[name] = source.version
            file = RuleFile(
                file=name, text=source.text, version=version, at=now, by=getpass.getuser(), why=why
            )
            pushed = event(
                id=f"{name}/{version}/{now.timestamp():.6f}", source=SOURCE, type="rules.pushed", time=now, data=file, subject=name
            )  # fmt: skip
            waiting.append(
                sending.send(topic_name(RULES), key=name.encode(), value=encode(pushed), headers=HEADERS)
            )
        for future in waiting:
            future.get(timeout=30)
    return versions


def _await(bootstrap: list[str], versions: Mapping[str, str], wait_s: float) -> None:
    """Until the engine has said of each version whether it took it. Exits with 1 if not, or if it does not in time."""
    deadline = time.monotonic() + wait_s
    statuses: dict[str, RuleFileStatus] = {}
    while statuses.keys() != versions.keys() and time.monotonic() < deadline:
        for name, value in newest_by_key(bootstrap, topic_name(ENGINE_STATUS)).items():
            status = status_of(value)
            if status is not None and status.version == versions.get(name) and name not in statuses:
                statuses[name] = status
                _tell(name, status)
        time.sleep(0.1)
    missing = sorted(versions.keys() - statuses.keys())
    if missing:
        click.echo(
            f"no word from the engine on {', '.join(missing)} within {wait_s:g} s: is rule_engine running?",
            err=True,
        )
    if missing or not all(status.taken for status in statuses.values()):
        sys.exit(1)


def _tell(name: str, status: RuleFileStatus) -> None:
    if status.taken:
        click.echo(
            f"{click.style('✓', fg='green')} {name}: the engine runs {counted(len(status.rules), 'rule')} of it"
        )
        return
    click.echo(f"{click.style('✗', fg='red')} {name}: refused, what it had before goes on", err=True)
    for problem in status.problems:
        click.echo(f"  {problem}", err=True)
