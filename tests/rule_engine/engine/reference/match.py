"""`match`: on each matching event; with `otherwise` from a bad event until a good one."""

from dataclasses import dataclass
from typing import ClassVar

from reference.condition import Asked, Condition
from reference.told import Data, Event


@dataclass(frozen=True)
class Match(Asked):
    momentary: ClassVar[bool] = True

    def begin(self, story: object) -> "Matching":
        return Matching(story)


class Matching(Condition):
    def __init__(self, story: object) -> None:
        super().__init__(story)
        self.now: Event | None = None  # the last that made it true
        self.last_on: int | None = None

    def meets(self, event: Event, roles: set[str], at: int, clock: int | None, previous: Data) -> None:
        if "good" in roles or "matches" in roles:
            older = self.story.spec.otherwise and self.last_on is not None and event.at < self.last_on
            self.last_on = event.at if self.last_on is None else max(event.at, self.last_on)
            if "matches" in roles and not older:
                if self.now is None or not self.story.spec.wait or event.at >= self.now.at:
                    self.now = event
                self.story.says_true(at, event, previous)

    def verdict(self, at: int) -> bool:
        return self.story.false_since is None

    def evidence(self, at: int) -> tuple[str, ...]:
        assert self.now is not None
        return (self.now.id,)

    def ends_by(self, at: int, reach: int) -> bool:
        if self.story.true_since is None or self.now is None or self.now.at > reach:
            return False
        self.story.not_pending()
        self.forget()
        return True

    def forget(self) -> None:
        self.now = None

    def forget_all(self) -> None:
        self.last_on = None

    @property
    def remembers(self) -> bool:
        return self.story.true_since is not None
