"""What a scenario is made of: who, what happens when, and which messages must come of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from contracts.records import Profile


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    profile: Profile


@dataclass(frozen=True, slots=True)
class Publish:
    """Events (CloudEvents in JSON) to be published at `at`; `says` is the line that tells of them, or empty."""

    at: datetime
    events: Sequence[dict[str, Any]]
    says: str
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A request to open a ticket, to be made at `at`."""

    at: datetime
    body: dict[str, Any]
    says: str
    person: Person | None = None


Act = Publish | OpenTicket


@dataclass(frozen=True, slots=True)
class Expected:
    """A message that must come, not before `due`.

    `says` are words that its subject or its text must have. `answers` is the place, in the story, of the earlier mail
    whose thread it must be in.
    """

    channel: Literal["email", "sms"]
    to: str
    due: datetime
    says: tuple[str, ...]
    answers: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What happens to one person, and all that this person must be told."""

    person: Person
    title: str
    acts: Sequence[Act]
    expected: Sequence[Expected] = ()
    quiet_until: datetime | None = None  # a wrong message could come until then


@dataclass(frozen=True, slots=True)
class Scenario:
    stories: Sequence[Story]
    acts: Sequence[Act] = field(default=())  # what is nobody's own story

    def all_acts(self) -> list[Act]:
        """In order of time."""
        return sorted(
            [*self.acts, *(act for story in self.stories for act in story.acts)], key=lambda act: act.at
        )

    def ends_at(self) -> datetime:
        """When everything has happened, and every due time has passed."""
        times = [act.at for act in self.all_acts()]
        times += [expected.due for story in self.stories for expected in story.expected]
        times += [story.quiet_until for story in self.stories if story.quiet_until]
        return max(times)
