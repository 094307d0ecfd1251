"""Which version of each rule file is valid: the newest good one, as the topic `rules` tells. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from contracts.envelope import EnvelopeError, decode
from contracts.records import RuleFile, RuleFileStatus
from rule_engine.rules.load import RuleSource, load_text, shared_ids
from rule_engine.rules.model import RuleFileError
from rule_engine.rules.words.intervals import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from rule_engine.rules.model import NamedInterval

MENDED_BY_OTHERS = frozenset({"duplicate-id", UNKNOWN})


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
    """Takes pushed files one by one. `statuses` says of each file's newest version whether it was taken, and why not.

    A file may name time intervals of others, whichever comes first: one that lacks an interval, or shares an id, waits for the
    others to change. Where an interval changes, the files that name it are loaded anew with it; where it is gone, they go on as
    they were, and their status says so.
    """

    def __init__(self) -> None:
        self.statuses: dict[str, RuleFileStatus] = {}
        self._good: dict[str, RuleSource] = {}
        self._versions: dict[str, str] = {}  # of what is good
        self._waiting: dict[str, tuple[str, str]] = {}  # version and text of what another file may mend

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
        self._waiting.pop(name, None)
        if value is None:
            self.statuses.pop(name, None)
            if self._good.pop(name, None) is not None:
                self._settle(at)
            return
        try:
            pushed = _read(value)
        except (EnvelopeError, msgspec.ValidationError) as error:
            self._refuse(name, "unknown", [f"the record on the topic is not a pushed rule file: {error}"], at)
        else:
            if self._try(name, pushed.version, pushed.text, at):
                self._settle(at)

    def _settle(self, at: datetime) -> None:
        """Take what others have mended, and what has other intervals now, until nothing changes."""
        changed = True
        while changed:
            changed = False
            for name, (version, text) in list(self._waiting.items()):
                changed |= self._try(name, version, text, at)
            for name, source in list(self._good.items()):
                if name not in self._waiting and source.borrowed != self._now(source.borrowed):
                    changed |= self._try_again(name, source, at)

    def _try_again(self, name: str, source: RuleSource, at: datetime) -> bool:
        """The same with what is good already; where a newer version was refused, its status stays."""
        status = self.statuses[name]
        changed = self._try(name, self._versions[name], source.text, at)
        if status.version != self._versions[name]:
            self.statuses[name] = status
            self._waiting.pop(name, None)
        return changed

    def _try(self, name: str, version: str, text: str, at: datetime) -> bool:
        """Load a file beside the others that are good; whether that changed what is good."""
        others = [other for other_name, other in self._good.items() if other_name != name]
        self._waiting.pop(name, None)
        try:
            source = load_text(text, name, [each for other in others for each in other.intervals])
            problems = shared_ids([*others, source])
        except RuleFileError as error:
            problems = error.problems
        except Exception as error:  # a bug of ours in the loader must not stop the worker
            self._refuse(name, version, [f"loading failed: {error!r}"], at)
            return False
        if problems:
            if all(problem.code in MENDED_BY_OTHERS for problem in problems):
                self._waiting[name] = version, text
            self._refuse(name, version, [str(problem) for problem in problems], at)
            return False
        self._good[name] = source
        self._versions[name] = version
        self.statuses[name] = RuleFileStatus(name, version, True, at, [rule.id for rule in source.rules])  # noqa: FBT003
        return True

    def _now(self, borrowed: tuple[NamedInterval, ...]) -> tuple[NamedInterval, ...]:
        """The intervals of these names as the files have them now."""
        now = {each.name: each for other in self._good.values() for each in other.intervals}
        return tuple(now[each.name] for each in borrowed if each.name in now)

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
