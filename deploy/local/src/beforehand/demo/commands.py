"""`beforehand demo`."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import click
import httpx

from beforehand.commands.download import download_progress
from beforehand.commands.up import table
from beforehand.demo.narrate import Narrator, Watch
from beforehand.demo.play import play
from beforehand.demo.report import summary
from beforehand.demo.shop import COMPANY, OPERATIONS, small_shop
from beforehand.demo.story import Scenario
from beforehand.demo.verdict import Finding, is_complete, judge, received_of
from beforehand.errors import RunnerError, UsageError
from beforehand.runner.console import Console
from beforehand.runner.installation import Installation, Options, without_kafka_settings
from beforehand.runner.interrupts import interrupt_once
from beforehand.runner.services import installed_services

# How long after the last due time a message may take: a silent partition's clock is some seconds behind the wall's.
_LATEST = timedelta(seconds=60)
_SETTLE = timedelta(seconds=10)
_INTERRUPTED = 130


@click.command()
@click.option(
    "--exit", "exits", is_flag=True, help="End after the verdict: 0 if all is as expected, 1 if not."
)
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), default=Path("var"), show_default=True,
    help="Folder for all that is kept, as for `beforehand up`.",
)  # fmt: skip
@click.option(
    "--speed", type=click.FloatRange(0.2, 5), default=1.0, show_default=True, help="2 plays in half the time."
)
@click.option(
    "--rules", type=click.Path(file_okay=False, path_type=Path), default=Path("rules"), show_default=True,
    help="Folder of the rules to push, with templates/ in it.",
)  # fmt: skip
@click.option("--logs", is_flag=True, help="Show the services' logs between the lines.")
def demo(*, exits: bool, data: Path, speed: float, rules: Path, logs: bool) -> None:
    """Start everything, play a small shop's bad day, and show what its customers are told.

    It runs as `beforehand up` does, and keeps running after the play: publish events of your own, push rules of your
    own, and look at the inbox and the phone. Each play has new customers; what else is in the data folder stays.

    \b
    Exit codes: 0 as expected, or stopped · 1 with --exit: a message is missing, or one too many · 130 with --exit:
    stopped before the verdict · others as for `beforehand up`
    """  # noqa: D301 - click wants a real backspace
    if not (rules / "templates").is_dir():
        raise UsageError(
            f"there are no rules with templates in {rules}: run it in Beforehand's folder, or name one with --rules"
        )
    environment = {
        "BEFOREHAND_MAIL_FROM": COMPANY,
        "BEFOREHAND_OPERATIONS_EMAIL": OPERATIONS,
        "BEFOREHAND_TEMPLATES": str((rules / "templates").resolve()),
    }
    services = installed_services()
    console = Console(["kafka", "inbox", "phone", *(service.name for service in services)], passes_logs=logs)
    os.umask(0o077)  # what is kept holds customers' data
    interrupt_once()
    options = Options(data=data, environment=environment)
    with Installation(
        options, console=console, services=services, progress=download_progress()
    ) as installation:
        try:
            as_expected = _run(installation, rules, speed)
            if exits:
                sys.exit(0 if as_expected else 1)
            console.show(table(installation))
            console.say("still running: publish events of your own; Ctrl-C stops everything")
            Event().wait()
        except KeyboardInterrupt:
            console.say("stopping")
            if exits:
                sys.exit(_INTERRUPTED)
    console.say("stopped")


def _run(installation: Installation, rules: Path, speed: float) -> bool:
    """From nothing to the verdict; whether all was as expected."""
    console = installation.console
    began = time.monotonic()
    console.say(f"starting Kafka and the services, with their data in {installation.options.data}")
    installation.start()
    endpoints = installation.endpoints
    with _pushing(rules, endpoints["kafka"]):
        installation.wait_ready()
    console.say(f"ready after {time.monotonic() - began:.1f} s, with the rules of {rules} pushed")
    console.say(f"inbox {endpoints['inbox']['page']}  phone {endpoints['phone']['page']}")
    console.show("")
    findings = _play(endpoints, speed, console.show)
    console.show(summary(findings))
    return not any(finding.differences for finding in findings)


@contextmanager
def _pushing(rules: Path, kafka: str) -> Iterator[None]:
    """As anybody pushes rules, by the command line; while the services start. It ends when the engine has taken them."""
    command = [sys.executable, "-m", "beforehand", "rules", "push", "--wait", "2m", str(rules)]
    environment = {**without_kafka_settings(os.environ), "BEFOREHAND_KAFKA": kafka}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as push:
        try:
            yield
            said, _ = push.communicate()
        except BaseException:
            push.kill()
            raise
    if push.returncode:
        raise RunnerError(
            f"the rules in {rules} were not taken by `beforehand rules push` (exit code {push.returncode}): "
            f"{said.strip()}"
        )


def _play(endpoints: dict[str, Any], speed: float, show: Callable[[str], None]) -> list[Finding]:
    start = datetime.now(UTC)
    # Six digits of the time tell this run's customers from those of the runs of the last eleven days.
    scenario = small_shop(start, f"{int(start.timestamp()) % 1_000_000:06}", speed)
    names = {story.person.id: story.person.name for story in scenario.stories}
    narrator = Narrator(show, names, start)
    with Watch(endpoints["kafka"], narrator):
        play(scenario.all_acts(), endpoints, narrator.act)
        return _verdict(scenario, endpoints, since=start)


def _verdict(scenario: Scenario, endpoints: dict[str, Any], *, since: datetime) -> list[Finding]:
    """What came, once all that is expected has come and what is not could have; or when it has been long enough."""
    quiet_at = scenario.ends_at() + _SETTLE
    with httpx.Client(timeout=15, trust_env=False) as client:
        while True:
            mails = client.get(endpoints["inbox"]["messages"]).json()
            texts = client.get(endpoints["phone"]["messages"]).json()
            received = [one for one in received_of(mails, texts) if one.at >= since]
            findings = judge(scenario, received)
            now = datetime.now(UTC)
            if (is_complete(findings) and now >= quiet_at) or now >= scenario.ends_at() + _LATEST:
                return findings
            time.sleep(0.5)
