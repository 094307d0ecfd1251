"""Past events for a backtest: CloudEvents in JSON, one a line of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contracts.envelope import EnvelopeError, Event, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class HistoryError(ValueError):
    """A line that is no event: says which, and what is wrong with it."""


def read_events(lines: Iterable[bytes], name: str) -> Iterator[Event]:
    """The events in the order of the lines; blank ones are passed over. Raises HistoryError."""
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix(b"\xef\xbb\xbf") if number == 1 else line.strip()
        if not text:
            continue
        try:
            yield decode(text)
        except EnvelopeError as error:
            raise HistoryError(f"{name}:{number}: no CloudEvent in JSON: {error}") from None
