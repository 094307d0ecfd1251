"""How the first download of Kafka looks."""

import sys
import time

import click

from beforehand.kafka.jars import Progress
from beforehand.kafka.lock import KAFKA_VERSION

EVERY_S = 0.1
LINES_EVERY_S = 5.0


def download_progress() -> Progress:
    """On a terminal one line that grows; elsewhere a line now and then. To stderr, so that stdout stays clean."""
    on_terminal = sys.stderr.isatty()
    begun = time.monotonic()
    told = -LINES_EVERY_S

    def progress(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic() - begun
        if done < total and now - told < (EVERY_S if on_terminal else LINES_EVERY_S):
            return
        told = now
        text = f"downloading Kafka {KAFKA_VERSION}, once: {done / 1e6:5.1f} of {total / 1e6:.1f} MB"
        click.echo(("\r" if on_terminal else "") + text, err=True, nl=not on_terminal or done >= total)

    return progress
