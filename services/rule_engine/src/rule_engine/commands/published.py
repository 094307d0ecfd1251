"""The rules that the engine has: rule files as the topic `rules` holds them, taken as the engine takes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from contracts.envelope import EnvelopeError, decode
from contracts.records import RuleFileStatus
from contracts.topics import ENGINE_STATUS, RULES
from rule_engine.commands.broker import newest_by_key, topic_name
from rule_engine.rulebook import Rulebook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rule_engine.rules.load import RuleSource


def published(bootstrap: list[str]) -> dict[str, RuleSource]:
    """By the name of the file; one whose newest version was refused is left out. Raises NoBroker."""
    statuses = newest_by_key(bootstrap, topic_name(ENGINE_STATUS))
    return taken(newest_by_key(bootstrap, topic_name(RULES)), statuses)


def taken(files: Mapping[str, bytes], statuses: Mapping[str, bytes]) -> dict[str, RuleSource]:
    """What an engine that starts now makes of these records. Pure."""
    book = Rulebook()
    said = {name: status for name, value in statuses.items() if (status := status_of(value)) is not None}
    book.begin(files.items(), said, datetime.now(UTC))
    return dict(book.rules.good)


def status_of(value: bytes) -> RuleFileStatus | None:
    """What a record of `engine.status` says; None if it can't be read."""
    try:
        return msgspec.convert(decode(value).data, RuleFileStatus)
    except (EnvelopeError, msgspec.ValidationError):
        return None
