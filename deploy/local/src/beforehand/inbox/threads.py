"""Which mails belong together: a mail joins the thread of a mail that it names in References or In-Reply-To."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from beforehand.inbox.mail import message_ids
from beforehand.pages.shelf import Kept


@dataclass(frozen=True)
class Summary:
    """A mail as the list shows it."""

    id: int
    sender: str
    recipient: str
    subject: str
    snippet: str
    at: datetime
    message_id: str
    answers: tuple[str, ...]


@dataclass
class Thread:
    """Named by its first mail's id; `mails` are in the order in which they came."""

    id: int
    mails: list[Summary] = field(default_factory=list)

    @property
    def first(self) -> Summary:
        return self.mails[0]

    @property
    def latest(self) -> Summary:
        return self.mails[-1]


def summary(kept: Kept) -> Summary:
    mail = kept.document
    message_id, answers = message_ids(mail["headers"])
    return Summary(
        id=kept.id,
        sender=mail["from"],
        recipient=mail["to"],
        subject=mail["subject"] or "(no subject)",
        snippet=" ".join(mail["text"][:300].split()),
        at=datetime.fromisoformat(mail["at"]),
        message_id=message_id,
        answers=tuple(answers),
    )


def threads(mails: Iterable[Summary]) -> list[Thread]:
    """The threads of `mails` (oldest first), the one with the latest mail first.

    An answer whose thread is not here any more still joins the others that name the same mails.
    """
    found: dict[int, Thread] = {}
    by_message_id: dict[str, Thread] = {}
    for mail in mails:
        named = [*mail.answers, mail.message_id] if mail.message_id else list(mail.answers)
        thread = next((by_message_id[name] for name in named if name in by_message_id), None) or Thread(
            mail.id
        )
        thread.mails.append(mail)
        found[thread.id] = thread
        by_message_id.update(dict.fromkeys(named, thread))
    return sorted(found.values(), key=lambda thread: thread.latest.id, reverse=True)
