"""`beforehand up`."""

import os
import time
from pathlib import Path
from threading import Event

import click

from beforehand.commands.download import download_progress
from beforehand.errors import UsageError
from beforehand.runner.installation import DEFAULT_PORTS, Installation, Options
from beforehand.runner.interrupts import interrupt_once
from contracts.topics import EMBEDDED_PARTITIONS


@click.command()
@click.option(
    "--kafka",
    metavar="HOST:PORT",
    help="Use this Kafka broker, with TLS or a password if BEFOREHAND_KAFKA_SECURITY and its like say so; without it one is "
    "started here, with its data under --data.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="Folder for all that is kept: topics, databases, keys, mails.",
)
@click.option(
    "--port",
    "ports",
    metavar="NAME=NUMBER",
    multiple=True,
    help="Where something listens, such as --port kafka=19092; may be given more than once. The names are "
    f"{', '.join(DEFAULT_PORTS)} and each service's. Without it a taken port gives way to a free one.",
)
@click.option(
    "--partitions",
    type=click.IntRange(1, 1000),
    default=EMBEDDED_PARTITIONS,
    show_default=True,
    help="Partitions of the topics keyed by customer; fixed once they are made.",
)
@click.option(
    "--topic-prefix",
    default="",
    envvar="BEFOREHAND_TOPIC_PREFIX",
    help="Put before each topic's name, where installations share a broker.",
)
def up(kafka: str | None, data: Path, ports: tuple[str, ...], partitions: int, topic_prefix: str) -> None:
    """Start Kafka and all services on this machine, and keep them running until Ctrl-C.

    Everything listens on 127.0.0.1 only. Keys are made at the first start and kept in DATA/secrets. When all is
    ready a table says what is where, and DATA/endpoints.json says it to programs, with the keys. A process that
    dies is started again. Settings of a service (BEFOREHAND_…) are taken from the environment.

    \b
    Exit codes: 0 stopped · 2 usage · 3 a port is taken · 4 the data folder can't be used · 5 Kafka can't be
    downloaded · 6 runs already in this folder · 7 no broker · 8 topics have other partitions · 9 a service does
    not become ready
    """  # noqa: D301 - click wants a real backspace
    options = Options(
        data=data,
        kafka=kafka,
        ports=dict(_port(text) for text in ports),
        customer_partitions=partitions,
        topic_prefix=topic_prefix,
    )
    os.umask(0o077)  # what is kept holds customers' data
    interrupt_once()
    started = time.monotonic()
    with Installation(options, progress=download_progress()) as installation:
        try:
            installation.console.say(f"starting in {data}")
            installation.start()
            installation.wait_ready()
            installation.console.show(table(installation))
            installation.console.say(
                f"ready after {time.monotonic() - started:.1f} s; Ctrl-C stops everything"
            )
            Event().wait()
        except KeyboardInterrupt:
            installation.console.say("stopping")
    installation.console.say("stopped")


def table(installation: Installation) -> str:
    """What is where, for people."""
    data = installation.options.data
    rows: list[tuple[str, str, str]] = []
    if installation.options.kafka:
        rows.append(("kafka", installation.options.kafka, "as given"))
    else:
        rows.append(("kafka", installation.endpoints["kafka"], f"log in {data / 'kafka' / 'broker.log'}"))
    for service in installation.services:
        key_file = installation.secrets.key_file(service.key)
        rows.append((service.name, installation.url(service.name), f"key in {key_file}" if key_file else ""))
    rows.append(
        ("inbox", installation.endpoints["inbox"]["page"], f"mails by SMTP to {installation.smtp_address}")
    )
    rows.append(("phone", installation.endpoints["phone"]["page"], "text messages"))
    rows.append(("programs", str(installation.endpoints_file), "all addresses and keys, as JSON"))
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    lines = [
        f"  {click.style(name.ljust(widths[0]), bold=True)}  {where:<{widths[1]}}  {what}".rstrip()
        for name, where, what in rows
    ]
    return "\n".join(["", *lines, ""])


def _port(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not name or not number.isdecimal() or not 0 < int(number) < 65536:
        raise UsageError(f"--port {text} is not of the form NAME=NUMBER with a number from 1 to 65535")
    return name, int(number)
