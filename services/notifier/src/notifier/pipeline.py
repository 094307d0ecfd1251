"""What happens to a message that has fallen due: the stages, in order, on one screen.

Each stage takes the draft and the situation and gives the draft on, perhaps with more known about it, or says what
becomes of the message instead. They touch no database, no network and no clock: whatever they need to know is in their
arguments. What they let through is then claimed, sent and recorded by `dispatch`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.alerts import Channel, NotifyEntry, State, Transition
from contracts.records import Fate, Pause, Profile, TicketRecord
from notifier.addresses import valid_address, valid_number
from notifier.channels import Content
from notifier.recipients import Kind
from notifier.templates import TemplateFailure


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another message of the same alert or ticket to the same recipient by the same channel, from the delivery log."""

    id: str
    kind: Kind
    state: str
    possibly_sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A message on its way, and what is known about it. The last three fields are filled in by stages."""

    id: str
    kind: Kind
    channel: Channel
    recipient: str
    customer: str | None
    rule: str | None
    template: str
    category: str | None
    expires_at: datetime
    about: Transition | TicketRecord
    entry: NotifyEntry | None
    profile: Profile | None
    alert_state: State | None
    earlier: tuple[Earlier, ...] = ()
    opted_out: bool = False
    possibly_twice: bool = False
    address: str | None = None
    unsubscribe_url: str | None = None
    content: Content | None = None

    @property
    def to_customer(self) -> bool:
        return self.entry is None or (
            self.entry.to is not None and self.entry.to.kind in {"customer", "affected"}
        )

    @property
    def opt_out(self) -> str:
        """What its recipient may opt out of: the category; where the entry names none, the rule's messages."""
        return self.category or f"rule/{self.rule}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """How things stand when a draft is looked at."""

    now: datetime
    pauses: tuple[Pause, ...]
    channels: frozenset[str]
    operations_email: str | None
    critical_categories: frozenset[str]
    unsubscribe_url: Callable[[Draft], str]
    write: Callable[[Draft], Content]


@dataclass(frozen=True, slots=True)
class Later:
    """Look again at that time, or when something about it changes."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Held:
    """Kept until a person lets it go; it does not expire meanwhile."""

    why: str


@dataclass(frozen=True, slots=True)
class Ended:
    """It does not go out. `elsewhere`: the entry's next channel may do better. `dead_letter`: its record can't be used."""

    fate: Fate
    why: str
    elsewhere: bool = False
    dead_letter: bool = False


Outcome = Later | Held | Ended
Stage = Callable[[Draft, Situation], Draft | Outcome]


def decide(draft: Draft, situation: Situation) -> Draft | Outcome:
    """The draft with address and content, ready to go; or what becomes of it instead."""
    for stage in STAGES:
        result = stage(draft, situation)
        if not isinstance(result, Draft):
            return result
        draft = result
    return draft


def unexpired(draft: Draft, situation: Situation) -> Draft | Outcome:
    if situation.now >= draft.expires_at:
        return Ended("expired", "it could not go out in time")
    return draft


def still_true(draft: Draft, _: Situation) -> Draft | Outcome:
    """A firing that is over is told to nobody, unless it is a moment and has no end."""
    if draft.kind != "firing" or draft.alert_state in {"firing", "due", None}:
        return draft
    if draft.alert_state == "resolved":
        return Ended("suppressed", "resolved before it was sent")
    momentary = isinstance(draft.about, Transition) and draft.about.momentary
    return draft if momentary else Ended("suppressed", "ended before it was sent")


def was_told(draft: Draft, situation: Situation) -> Draft | Outcome:
    """The end is told only to those who were told of the beginning, and after it."""
    if draft.kind != "resolved":
        return draft
    beginnings = [earlier for earlier in draft.earlier if earlier.kind == "firing"]
    if any(earlier.state == "sending" for earlier in beginnings):
        return Later(situation.now + timedelta(seconds=1), "what it resolves is on its way")
    if not any(earlier.possibly_sent for earlier in beginnings):
        return Ended("suppressed", "what it resolves was never sent")
    return draft


def live(draft: Draft, _: Situation) -> Draft | Outcome:
    if isinstance(draft.about, Transition) and draft.about.words.mode == "shadow":
        return Ended("suppressed", "the rule runs in shadow mode")
    return draft


def known(draft: Draft, _: Situation) -> Draft | Outcome:
    if draft.to_customer and draft.profile is None:
        return Later(draft.expires_at, "waits for the customer's profile")
    return draft


def addressed(draft: Draft, situation: Situation) -> Draft | Outcome:
    """Where it goes to, in the form that the channel takes."""
    if draft.channel not in situation.channels:
        return Ended("suppressed", f"the channel {draft.channel} is not set up", elsewhere=True)
    given = _given_address(draft, situation)
    if given is None:
        return Ended(
            "suppressed", f"{_owner(draft)} no address for the channel {draft.channel}", elsewhere=True
        )
    address = valid_address(given) if draft.channel == "email" else valid_number(given)
    if address is None:
        return Ended(
            "failed", f"{_owner(draft)} an invalid address for the channel {draft.channel}", elsewhere=True
        )
    return replace(draft, address=address)


def wanted(draft: Draft, situation: Situation) -> Draft | Outcome:
    """Customers may stop whatever the settings do not call critical; each mail carries the link for it."""
    if not draft.to_customer or draft.kind == "replied" or draft.category in situation.critical_categories:
        return draft
    if draft.opted_out:
        return Ended("suppressed", f"the customer opted out of {draft.opt_out} by {draft.channel}")
    return replace(draft, unsubscribe_url=situation.unsubscribe_url(draft))


def released(draft: Draft, situation: Situation) -> Draft | Outcome:
    for pause in situation.pauses:
        if pause.scope == "everything" or pause.name == (
            draft.channel if pause.scope == "channel" else draft.rule
        ):
            what = pause.scope if pause.name is None else f"{pause.scope} {pause.name}"
            return Held(f"paused: {what}, by {pause.by}" + (f": {pause.why}" if pause.why else ""))
    return draft


def written(draft: Draft, situation: Situation) -> Draft | Outcome:
    try:
        return replace(draft, content=situation.write(draft))
    except TemplateFailure as error:
        return Ended("failed", str(error), elsewhere=True, dead_letter=True)


STAGES: tuple[Stage, ...] = (
    unexpired,
    still_true,
    was_told,
    live,
    known,
    addressed,
    wanted,
    released,
    written,
)


def _given_address(draft: Draft, situation: Situation) -> str | None:
    if draft.to_customer:
        profile = draft.profile or Profile()
        return {"email": profile.email, "sms": profile.phone}.get(draft.channel)
    if draft.channel != "email" or draft.entry is None or draft.entry.to is None:
        return None
    return situation.operations_email if draft.entry.to.kind == "operations" else draft.entry.to.address


def _owner(draft: Draft) -> str:
    if draft.to_customer:
        return "the customer's profile has"
    if draft.recipient == "operations":
        return "BEFOREHAND_OPERATIONS_EMAIL, where operations are told, has"
    return "the rule has"
