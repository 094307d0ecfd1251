"""A rule, a customer and a key: all that happened to them."""

from reference.life import Life
from reference.match import Matching
from reference.rule import Spec
from reference.told import DAY, Data, Event, Key


class Remembered:
    """The last event of `resolve_on`, `expect` or `cancel_on`; `unanswered`: one of `expect` that ended nothing."""

    def __init__(self, at: int, *, unanswered: bool) -> None:
        self.at = at
        self.unanswered = unanswered


class Story(Life):
    def __init__(self, spec: Spec, customer: str | None, key: Key) -> None:
        super().__init__(spec, customer, key)
        self.last: Event | None = None  # the last matching one, with what was `previous` then
        self.last_previous: Data = {}
        self.remembered: Remembered | None = None
        self.previous: Event | None = None
        self.condition = spec.condition.begin(self)

    # -- one event

    def meet(self, event: Event, roles: set[str], clock: int | None) -> None:
        spec = self.spec
        previous = self.previous.data if self.previous else {}
        holds = spec.where(event.data, previous) if "on" in roles else None
        matches = bool(holds) or any(role.startswith("step") for role in roles)
        if spec.otherwise and holds is False:
            roles = roles | {"good" if isinstance(self.condition, Matching) else "resolve"}
        if matches or roles != {"on"}:
            self.catch_up(event.at, clock)
            self.latest = event.at if self.latest is None else max(self.latest, event.at)
            self.act(event, roles, previous, clock, matches=matches)
        if spec.uses_previous and "on" in roles and (self.previous is None or event.at >= self.previous.at):
            self.previous = event
        self.forget_what_is_over(clock)

    def act(self, event: Event, roles: set[str], previous: Data, clock: int | None, *, matches: bool) -> None:
        """In this order: cancel, disarm and resolve; then kill, count, advance, arm; then fire."""
        if roles & {"cancel", "resolve", "expect", "good"}:
            self.end_by(event, roles, matches=matches, clock=clock)
        too_old = self.remembered is not None and self.remembered.at > event.at
        assert self.latest is not None
        if matches and not too_old and (self.last is None or event.at >= self.last.at):
            self.last, self.last_previous = event, previous
        acting = roles | {"matches"} if matches and not too_old else roles
        self.condition.meets(event, acting, self.latest, clock, previous)

    # -- the passing of time

    def wait(self, before: int | None, clock: int) -> None:
        """The clock went from one time to another: all that is due before it."""
        while agenda := self.agenda(before):
            at, _, act = min(agenda, key=lambda each: each[:2])
            if at >= clock:
                break
            act(at)
        self.forget_what_is_over(clock)

    def catch_up(self, to: int, clock: int | None) -> None:
        """What is due before an event of the key's own; but window ends wait for the clock, and so does what follows them."""
        while agenda := self.agenda(clock):
            at, _, act = min(agenda, key=lambda each: each[:2])
            if at >= to or (
                getattr(act, "__self__", None) is self.condition and self.condition.waits_for_clock
            ):
                break
            act(at)

    def forget_what_is_over(self, clock: int | None) -> None:
        if clock is None:
            return
        if self.remembered is not None and clock > self.remembered.at + self.spec.lookback:
            self.remembered = None
        if self.previous is not None and clock > self.previous.at + 90 * DAY:
            self.previous = None
        left = [self.condition.remembers, self.alert, self.over, self.remembered, self.previous]
        if not any(left) and self.true_since is None and self.cooled is None:
            self.latest = self.last = None
            self.condition.forget_all()

    # -- what an event ends

    def end_by(self, event: Event, roles: set[str], *, matches: bool, clock: int | None) -> None:
        ended = self.ends(event, roles, event.at)
        if not ended and "expect" in roles and not matches:
            ended = self.ends(event, roles, event.at + self.spec.lookback)
        too_old = clock is not None and clock > event.at + self.spec.lookback
        if not matches and not too_old and (self.remembered is None or event.at >= self.remembered.at):
            self.remembered = Remembered(event.at, unanswered="expect" in roles and not ended)

    def ends(self, event: Event, roles: set[str], reach: int) -> bool:
        """End what is due to an event not younger than `reach`; whether there was anything."""
        ended = self.condition.ends_by(event.at, reach)
        if self.alert is not None:
            due_to = self.alert.armed_at
            if due_to is None:
                due_to = self.last.at if self.last else event.at
            if due_to <= reach:
                assert self.latest is not None
                if roles & {"cancel", "resolve", "expect"} or not self.spec.keep:
                    self.resolve(self.latest, None, "event", event.cause)
                else:
                    self.says_false(self.latest, None)
                ended = True
        return ended
