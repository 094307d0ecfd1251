"""Channels: one file each, all with the same shape and the same three ways to fail. The type decides the message's fate.

ChannelError
├── Permanent          this message will never get through: it has failed
└── Retryable          it may get through later: it is tried again until it expires
    └── Unreachable    nothing gets through now: the whole channel waits, and tries one message from time to time

No error's text holds an address, a phone number or a secret: it goes to logs, to `messages` and to people's screens.
"""

from dataclasses import dataclass
from typing import Protocol


class ChannelError(Exception):
    """Something that the provider answered, or that it did not answer; the text says what, for operations."""


class Permanent(ChannelError):  # noqa: N818 - named by the message's fate
    pass


class Retryable(ChannelError):  # noqa: N818 - likewise
    """`maybe_sent`: the provider may have taken it. `retry_after_s`: the provider's own wish."""

    def __init__(self, why: str, *, maybe_sent: bool = False, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.maybe_sent = maybe_sent
        self.retry_after_s = retry_after_s


class Unreachable(Retryable):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the recipient reads. `locale` is the language it is in (BCP 47); `subject` and `html` are for mail alone."""

    text: str
    locale: str
    subject: str | None = None
    html: str | None = None

    @property
    def summary(self) -> str:
        """The subject, or the text's beginning."""
        return self.subject or " ".join(self.text.split())[:120]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message on its way out. `thread` holds the ids of earlier messages of the same story, oldest first.

    `automatic`: a machine decided to send it, not a person.
    """

    id: str
    to: str
    content: Content
    alert: str | None = None
    thread: tuple[str, ...] = ()
    unsubscribe_url: str | None = None
    possibly_twice: bool = False
    automatic: bool = True


class Channel(Protocol):
    """A way out. Safe to use by many tasks at once."""

    async def send(self, outgoing: Outgoing) -> str | None:
        """Hands the message to the provider and returns the provider's id for it, if it gives one.

        Raises ChannelError, and nothing else for whatever the network or the provider does.
        """

    async def close(self) -> None: ...
