"""Dead letters: the bytes as they came, on `<topic>.dead`, with the reason in headers, so that they can be replayed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.times import format_time, parse_time

SUFFIX = ".dead"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that `rejected_by` could not take from `topic`, `partition`, `offset`, and why.

    Key and value stay the record's own and are not part of this. Where the record's own headers matter they are kept, before
    the letter's.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    rejected_by: str
    at: datetime

    def headers(self) -> list[tuple[str, bytes]]:
        return [
            ("topic", self.topic.encode()),
            ("partition", str(self.partition).encode()),
            ("offset", str(self.offset).encode()),
            ("reason", self.reason.encode()),
            ("rejected_by", self.rejected_by.encode()),
            ("at", format_time(self.at).encode()),
        ]

    @staticmethod
    def from_headers(headers: Iterable[tuple[str, bytes | None]]) -> "DeadLetter":
        """Raises ValueError if these are not a dead letter's headers."""
        found = {name: (value or b"").decode("utf-8", "replace") for name, value in headers}
        try:
            return DeadLetter(
                topic=found["topic"],
                partition=int(found["partition"]),
                offset=int(found["offset"]),
                reason=found["reason"],
                rejected_by=found["rejected_by"],
                at=parse_time(found["at"]),
            )
        except KeyError as error:
            raise ValueError(f"no dead letter: its header {error} is missing") from None
