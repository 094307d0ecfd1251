"""What the inbox and the phone received, against what the scenario expects; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from beforehand.demo.story import Expected, Person, Scenario, Story
from beforehand.inbox.mail import message_ids


@dataclass(frozen=True, slots=True)
class Received:
    """A mail or a text, as the inbox or the phone has it."""

    channel: Literal["email", "sms"]
    to: str
    subject: str
    text: str
    at: datetime
    message_id: str = ""
    answers: tuple[str, ...] = ()


@dataclass(slots=True)
class Finding:
    """What became of a story: each expected message with what came for it, and what came besides."""

    story: Story
    came: list[Received | None]
    besides: list[Received] = field(default_factory=list)

    @property
    def differences(self) -> list[str]:
        """What is not as expected, a sentence each; empty if all is."""
        found = []
        for expected, received in zip(self.story.expected, self.came, strict=True):
            if received is None:
                says = f" that says “{' … '.join(expected.says)}”" if expected.says else ""
                found.append(f"{_to(expected.channel, self.story.person)}{says} did not come")
                continue
            if received.at < expected.due:
                early_s = (expected.due - received.at).total_seconds()
                found.append(f"{_told(received, self.story.person)} came {early_s:.1f} s too early")
            first = None if expected.answers is None else self.came[expected.answers]
            if first is not None and first.message_id not in received.answers:
                found.append(f"{_told(received, self.story.person)} is not in the thread of {_quoted(first)}")
        return found + [f"{_told(one, self.story.person)} was not expected" for one in self.besides]


def received_of(mails: Iterable[Mapping[str, Any]], texts: Iterable[Mapping[str, Any]]) -> list[Received]:
    """The JSON lists of inbox and phone, in order of time."""
    found = [_mail(mail) for mail in mails]
    found += [
        Received("sms", text["to"], "", text["text"], datetime.fromisoformat(text["at"])) for text in texts
    ]
    return sorted(found, key=lambda one: one.at)


def judge(scenario: Scenario, received: Sequence[Received]) -> list[Finding]:
    """A finding for each story. What came for people of no story is somebody else's business."""
    left = list(received)
    findings = []
    for story in scenario.stories:
        came = [_take(expected, left) for expected in story.expected]
        findings.append(Finding(story, came))
    for finding in findings:
        profile = finding.story.person.profile
        finding.besides = [one for one in left if one.to in {profile.email, profile.phone}]
    return findings


def is_complete(findings: Iterable[Finding]) -> bool:
    """Whether every expected message came."""
    return all(received is not None for finding in findings for received in finding.came)


def _take(expected: Expected, left: list[Received]) -> Received | None:
    for one in left:
        if (one.channel, one.to) == (expected.channel, expected.to) and all(
            words in one.subject or words in one.text for words in expected.says
        ):
            left.remove(one)
            return one
    return None


def _mail(mail: Mapping[str, Any]) -> Received:
    message_id, answers = message_ids(mail["headers"])
    return Received(
        "email",
        mail["to"],
        mail["subject"],
        mail["text"],
        datetime.fromisoformat(mail["at"]),
        message_id,
        tuple(answers),
    )


def _to(channel: str, person: Person) -> str:
    return f"{'a mail' if channel == 'email' else 'a text'} to {person.name}"


def _told(received: Received, person: Person) -> str:
    return f"{_to(received.channel, person)} {_quoted(received)}"


def _quoted(received: Received) -> str:
    text = " ".join((received.subject or received.text).split())
    return f"“{text[:70]}{'…' if len(text) > 70 else ''}”"
