"""What a condition asks for, as a rule file has it, and what it remembers of one customer and key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from reference.story import Story
    from reference.told import Cause, Data, Event, Key

Agenda = list[tuple[int, int, Callable[[int], None]]]  # when, in what order at one time, and what


@dataclass(frozen=True)
class Pick:
    """A selector. `key` None: as the rule's."""

    type: str
    where: Callable[[Data], bool] = lambda data: True
    key: Callable[[Event], Key | None] | None = None


Picks = tuple[Pick, ...]


@dataclass(frozen=True)
class Asked:
    """The words of a condition in a rule file. `momentary`: it is true at an instant and has no "false" of its own."""

    momentary: ClassVar[bool] = False

    def begin(self, story: Story) -> Condition:
        raise NotImplementedError

    def concerns(self, data: Data) -> bool:
        """Whether a matching event affects its customer."""
        return True

    def roles(self) -> list[tuple[str, Picks]]:
        """Roles of events in the rule beside `on` and `resolve`."""
        return []


class Condition:
    """What it remembers. It tells the story when it becomes true (`says_true`) or false (`says_false`)."""

    waits_for_clock = False  # its windows close by the clock alone
    counts_as_false = False  # without a window that says so

    def __init__(self, story: Story) -> None:
        self.story = story

    def meets(self, event: Event, roles: set[str], at: int, clock: int | None, previous: Data) -> None:
        """An event with a role in the rule; `at` is its time, or the key's latest time where that is later."""
        if "matches" in roles:
            self.matched(event, at, clock, previous)

    def matched(self, event: Event, at: int, clock: int | None, previous: Data) -> None:
        """A matching event that is not older than what ends it."""
        raise NotImplementedError

    def agenda(self, clock: int | None) -> Agenda:
        return []

    def verdict(self, at: int) -> bool | None:
        """Whether it is true at this time; None if it says nothing."""
        raise NotImplementedError

    def value(self, at: int) -> Any:
        return None

    def evidence(self, at: int) -> tuple[str, ...]:
        """Ids by time, at least the last ten."""
        raise NotImplementedError

    def last(self, at: int) -> tuple[Event | None, Data]:
        """The event that `vars` are about where the clock fires, and what was `previous` then."""
        return self.story.last, self.story.last_previous

    def ends_by(self, at: int, reach: int) -> bool:
        """An event of this time ends what is due to events not younger than `reach`; whether there was anything."""
        raise NotImplementedError

    def forget(self) -> None:
        raise NotImplementedError

    @property
    def cause(self) -> Cause | None:
        """Source and id of the event that fires it where the clock does."""
        return None

    @property
    def armed_at(self) -> int | None:
        """The time of the event that armed it."""
        return None

    def forget_all(self) -> None:
        """Nothing is left of the key: also what is only kept as long as anything is."""

    def fired(self) -> None:
        """Its truth became an alert."""

    def gone(self) -> None:
        """Its truth came to nothing: a cooldown forbade the alert."""

    @property
    def remembers(self) -> bool:
        """Whether anything is left."""
        raise NotImplementedError
