"""`new_term`: a value not seen for the key before. All that was ever seen is kept."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from reference.condition import Asked, Condition
from reference.told import DAY, Data, Event


@dataclass(frozen=True)
class NewTerm(Asked):
    """`of` gives None for null and for an error."""

    momentary: ClassVar[bool] = True
    of: Callable[[Data], Any]
    memory: int = 90 * DAY
    after: int = 1

    def begin(self, story: Any) -> "Meeting":
        return Meeting(story)


class Meeting(Condition):
    def __init__(self, story: Any) -> None:
        super().__init__(story)
        self.asked = story.spec.condition
        self.met: list[Event] = []
        self.new: Event | None = None

    def matched(self, event: Event, at: int, clock: int | None, previous: Data) -> None:
        value = self.text(event)
        seen = [each for each in self.met if self.text(each) == value and each.at > at - self.asked.memory]
        is_new = value is not None and not seen and len(self.met) >= self.asked.after
        self.met.append(event)
        if is_new:
            if self.story.true_since is None or self.new is None or event.at >= self.new.at:
                self.new = event
            self.story.says_true(at, event, previous)

    def text(self, event: Event) -> str | None:
        value = self.asked.of(event.data)
        return None if value is None else str(value)

    def verdict(self, at: int) -> bool:
        return self.new is not None

    def value(self, at: int) -> Any:
        assert self.new is not None
        return self.asked.of(self.new.data)

    def evidence(self, at: int) -> tuple[str, ...]:
        assert self.new is not None
        return (self.new.id,)

    def ends_by(self, at: int, reach: int) -> bool:
        if self.story.true_since is None or self.new is None or self.new.at > reach:
            return False
        self.story.not_pending()
        return True

    def forget(self) -> None:
        """`resolve_on` forgets all but this memory."""

    @property
    def remembers(self) -> bool:
        return True
