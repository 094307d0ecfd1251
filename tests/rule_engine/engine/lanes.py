"""Engines with their changelog kept beside them, so that one can be started anew from it at any moment, as a worker does."""

from collections.abc import Iterable, Mapping

from reference.told import Event
from streams import START, S, record

from contracts.alerts import Transition
from contracts.times import to_micros
from rule_engine.counters import Counters
from rule_engine.engine import LaneEngine
from rule_engine.globals import GlobalEngine
from rule_engine.machine import Output
from rule_engine.replay import Bytes
from rule_engine.rules.load import RuleSource
from rule_engine.state import parts_of

Rows = dict[bytes, bytes]


class Lane:
    """A partition of `signals`. `run` evaluates, `take` commits, `crash` loses what was not committed."""

    def __init__(self, files: Mapping[str, RuleSource], *, partition: int = 0, lateness_us: int = 0) -> None:
        self.partition = partition
        self.lateness_us = lateness_us
        self.changelog: Rows = {}
        self.transitions: list[Transition] = []
        self.counters = Counters()
        self.engine = self._new()
        self.engine.adopt(files)

    def run(self, events: Iterable[Event]) -> None:
        self.engine.run([record(each) for each in events])

    def take(self) -> Output:
        return commit(self.engine.take(), self.changelog, self.transitions)

    def until(self, time_us: int) -> None:
        self.engine.silent(time_us + 1)
        self.take()

    def crash(self) -> None:
        """Start anew from the changelog."""
        self.engine = self._new()
        for key, value in self.changelog.items():
            self.engine.restore(key, value)
        self.engine.begin()

    @property
    def state(self) -> Rows:
        """What the changelog has of rules' keys."""
        return {key: value for key, value in self.changelog.items() if parts_of(key)[0] == "key"}

    def _new(self) -> LaneEngine:
        return LaneEngine(self.partition, self.counters, allowed_lateness_us=self.lateness_us)


class GlobalLane:
    """A partition of `engine.regrouped`, over so many partitions of `signals`."""

    def __init__(self, files: Mapping[str, RuleSource], sources: int) -> None:
        self.sources = sources
        self.changelog: Rows = {}
        self.transitions: list[Transition] = []
        self.engine = GlobalEngine(sources, Counters())
        self.engine.adopt(files)

    def run(self, records: Iterable[bytes]) -> None:
        self.engine.run([Bytes(each) for each in records])

    def take(self) -> Output:
        return commit(self.engine.take(), self.changelog, self.transitions)

    def crash(self) -> None:
        self.engine = GlobalEngine(self.sources, Counters())
        for key, value in self.changelog.items():
            self.engine.restore(key, value)
        self.engine.begin()


def commit(output: Output, changelog: Rows, transitions: list[Transition]) -> Output:
    for key, value in output.rows:
        if value is None:
            changelog.pop(key, None)
        else:
            changelog[key] = value
    transitions += output.transitions
    return output


def happened(lane: Lane | GlobalLane) -> list[tuple[float, str]]:
    """Seconds from the start and state of all transitions so far."""
    lane.take()
    return [((to_micros(each.at) - START) / S, each.state) for each in lane.transitions]
