"""What a person sees: the runner's own words, and the processes' logs with the name of each before its lines."""

import os
import threading
from collections import deque
from typing import IO

import click

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
OWN_NAME = "beforehand"
KEPT_LINES = 20


class Console:
    """Writes whole lines from any thread. Colours only on a terminal, and not if NO_COLOR is set.

    With `passes_logs` false the processes' lines are kept for error messages, but not shown.
    """

    def __init__(self, names: list[str], *, passes_logs: bool = True) -> None:
        self._width = max(len(name) for name in [OWN_NAME, *names])
        self._colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
        self._passes_logs = passes_logs
        self._last: dict[str, deque[str]] = {name: deque(maxlen=KEPT_LINES) for name in names}
        self._coloured = False if "NO_COLOR" in os.environ else None  # None: as click finds, by the terminal
        self._is_read = True
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        self._write(OWN_NAME, text)

    def show(self, text: str) -> None:
        """Text without a name before it."""
        with self._lock:
            if self._is_read:
                try:
                    click.echo(text, color=self._coloured)
                except BrokenPipeError:
                    # Whoever read our output has gone; the processes' pipes must be emptied all the same.
                    self._is_read = False

    def last_lines(self, name: str) -> list[str]:
        """The newest lines that this process wrote."""
        return list(self._last[name])

    def follow(self, name: str, stream: IO[bytes]) -> threading.Thread:
        """Pass on what comes out of `stream` until it ends, in a thread of its own."""
        thread = threading.Thread(
            target=self._follow, args=(name, stream), name=f"log of {name}", daemon=True
        )
        thread.start()
        return thread

    def _follow(self, name: str, stream: IO[bytes]) -> None:
        with stream:
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip()
                self._last[name].append(line)
                if self._passes_logs:
                    self._write(name, line)

    def _write(self, name: str, text: str) -> None:
        label = click.style(
            f"{name:<{self._width}}", fg=self._colours.get(name), bold=True if name == OWN_NAME else None
        )
        self.show(f"{label} | {text}")
