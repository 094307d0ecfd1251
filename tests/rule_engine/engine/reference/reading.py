"""A rule and its events, in order of arrival, in; all transitions out. Every key has a story of its own."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from reference.rule import Spec
from reference.story import Story
from reference.told import Event, Key, Told, in_order


def rules_over(
    specs: Iterable[Spec], events: Sequence[Event], *, lateness: int = 0, until: int | None = None
) -> list[Told]:
    """What rules of scope customer tell of these events, in the order of tests."""
    told: list[Told] = []
    for spec in specs:
        told += Reading(spec, lateness).read(events, until)
    return in_order(told)


class Reading:
    """One rule over a stream: the clock, and a story for each customer and key."""

    def __init__(self, spec: Spec, lateness: int = 0) -> None:
        self.spec = spec
        self.lateness = lateness
        self.clock: int | None = None
        self.stories: dict[tuple[str | None, Key], Story] = {}

    def read(self, events: Sequence[Event], until: int | None) -> list[Told]:
        for event in events:
            self.move(event.reached - self.lateness)
            self.meet(event)
            self.move(event.reached - self.lateness)  # a late event may have caused what is due already
        if until is not None:
            self.move(until + 1)
        return [told for story in self.stories.values() for told in story.told]

    def meet(self, event: Event) -> None:
        if event.customer is not None:
            for key, roles in self.roles(event).items():
                self.story(event.customer, key).meet(event, roles, self.clock)

    def story(self, customer: str | None, key: Key) -> Story:
        return self.stories.setdefault((customer, key), Story(self.spec, customer, key))

    def move(self, to: int) -> None:
        before = self.clock
        self.clock = to if before is None else max(before, to)
        for story in self.stories.values():
            story.wait(before, self.clock)

    def roles(self, event: Event) -> dict[Key, set[str]]:
        """By key, since a selector may have one of its own; of a selector's list, the first that picks the event."""
        spec, found = self.spec, dict[Key, set[str]]()
        for role, picks in (*spec.condition.roles(), ("resolve", spec.resolve_on), ("on", spec.on)):
            for pick in picks:
                if fnmatchcase(event.type, pick.type) and pick.where(event.data):
                    key = (pick.key or spec.key)(event)
                    if key is not None:
                        found.setdefault(key, set()).add(role)
                        break
        return found
