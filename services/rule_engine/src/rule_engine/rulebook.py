"""Which version of each rule file is valid: the newest good one, as the topic `rules` tells. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from contracts.envelope import EnvelopeError, decode
from contracts.records import RuleFile, RuleFileStatus
from rule_engine.rules.load import RuleSource, load_text, shared_ids
from rule_engine.rules.model import RuleFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """`good` by file; `refused` are files whose newest version is none: what a lane has of them goes on."""

    good: Mapping[str, RuleSource]
    refused: frozenset[str]

    def for_lane(self, known: Mapping[str, RuleSource]) -> dict[str, RuleSource]:
        """The files that a lane which has `known` shall run."""
        kept = {name: known[name] for name in self.refused - self.good.keys() if name in known}
        return {**self.good, **kept}


class Rulebook:
    """Takes pushed files one by one. `statuses` says of each file's newest version whether it was taken, and why not."""

    def __init__(self) -> None:
        self.statuses: dict[str, RuleFileStatus] = {}
        self._good: dict[str, RuleSource] = {}
        self._clashing: dict[
            str, tuple[str, RuleSource]
        ] = {}  # good in themselves, but for an id of another file

    @property
    def rules(self) -> Rules:
        refused = frozenset(name for name, status in self.statuses.items() if not status.taken)
        return Rules(dict(self._good), refused)

    def begin(
        self, pushed: Iterable[tuple[str, bytes]], taken: Mapping[str, RuleFileStatus], at: datetime
    ) -> None:
        """All that the topic holds, in its order. What was taken before comes first: a clash of ids ends as it did then."""
        later = []
        for name, value in pushed:
            status = taken.get(name)
            if status is not None and status.taken and status.version == _version_of(value):
                self.take(name, value, at)
            else:
                later.append((name, value))
        for name, value in later:
            self.take(name, value, at)

    def take(self, name: str, value: bytes | None, at: datetime) -> None:
        """A new version of a file, or None: it is removed."""
        self._clashing.pop(name, None)
        if value is None:
            self.statuses.pop(name, None)
            if self._good.pop(name, None) is not None:
                self._retry(at)
            return
        try:
            pushed = _read(value)
            source = load_text(pushed.text, name)
        except RuleFileError as error:
            self._refuse(name, pushed.version, [str(problem) for problem in error.problems], at)
        except (EnvelopeError, msgspec.ValidationError) as error:
            self._refuse(name, "unknown", [f"the record on the topic is not a pushed rule file: {error}"], at)
        except Exception as error:  # a bug of ours in the loader must not stop the worker
            self._refuse(name, _version_of(value) or "unknown", [f"loading failed: {error!r}"], at)
        else:
            self._clashing[name] = (pushed.version, source)
            self._retry(at)

    def _retry(self, at: datetime) -> None:
        """Take what has no clash (any more), until nothing changes."""
        for name, (version, source) in list(self._clashing.items()):
            others = [other for other_name, other in self._good.items() if other_name != name]
            problems = shared_ids([*others, source])
            if problems:
                self._refuse(name, version, [str(problem) for problem in problems], at)
                continue
            del self._clashing[name]
            self._good[name] = source
            self.statuses[name] = RuleFileStatus(name, version, True, at, [rule.id for rule in source.rules])  # noqa: FBT003
            self._retry(at)
            return

    def _refuse(self, name: str, version: str, problems: list[str], at: datetime) -> None:
        known = self.statuses.get(name)
        if known is None or known.taken or known.version != version or known.problems != problems:
            self.statuses[name] = RuleFileStatus(name, version, False, at, [], problems)  # noqa: FBT003


def _read(value: bytes) -> RuleFile:
    return msgspec.convert(decode(value).data, RuleFile)


def _version_of(value: bytes) -> str | None:
    try:
        return _read(value).version
    except (EnvelopeError, msgspec.ValidationError):
        return None
