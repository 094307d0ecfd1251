"""Mail by SMTP: text and HTML, threaded by References, marked as automatic, with one-click unsubscribing (RFC 8058)."""

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy, Policy
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTPAuthenticationError, SMTPException, SMTPResponseException

from notifier.addresses import valid_address
from notifier.channels import ChannelError, Outgoing, Permanent, Retryable, Unreachable

TIMEOUT_S = 20.0
IDLE_S = 15.0  # servers close idle connections from 10 s (some) to 5 min (RFC 5321) on
CONNECTIONS = 8

_ADDRESS = re.compile(r"<?[^\s<>]*@[^\s<>]*>?")


class Email:
    """Sends through the server at `url` (smtp://[user@]host[:port], smtps:// where TLS starts at once).

    With smtp:// the connection is encrypted as soon as the server offers STARTTLS. `sender` is the From header's text.
    """

    def __init__(
        self, url: str, sender: str, *, password: str | None = None, clock: Callable[[], datetime]
    ) -> None:
        self._sender_name, given = parseaddr(sender)
        self._sender = valid_address(given) or ""
        if not self._sender:
            raise ValueError(
                "BEFOREHAND_MAIL_FROM must hold an address, such as: Harbour Shop <hello@harbour.example>"
            )
        self._connect = _connection_settings(url, password)
        self._clock = clock
        self._policy = _policy()
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[tuple[aiosmtplib.SMTP, float]] = []

    async def send(self, outgoing: Outgoing) -> None:
        message = self.compose(outgoing)
        async with self._places, self._client() as client:
            asking = True
            try:
                await client.mail(self._sender)
                await client.rcpt(outgoing.to)
                asking = False
                await client.data(message)
            except (SMTPException, OSError, TimeoutError) as error:
                raise _judged(error, maybe_sent=not asking) from error

    def compose(self, outgoing: Outgoing) -> bytes:
        """The whole mail as it goes over the wire. Raises Permanent for an address that none can be sent to."""
        content = outgoing.content
        mail = EmailMessage(policy=self._policy)
        try:
            mail["From"] = Address(self._sender_name, addr_spec=self._sender)
            mail["To"] = Address(addr_spec=outgoing.to)
        except (ValueError, IndexError):
            raise Permanent("the e-mail address can't be written to") from None
        mail["Subject"] = " ".join((content.subject or "").split())
        mail["Date"] = format_datetime(self._clock())
        mail["Message-ID"] = self._message_id(outgoing.id)
        if outgoing.automatic:
            mail["Auto-Submitted"] = "auto-generated"
            mail["X-Auto-Response-Suppress"] = "All"
        if outgoing.thread:
            mail["In-Reply-To"] = self._message_id(outgoing.thread[0])
            mail["References"] = " ".join(self._message_id(earlier) for earlier in outgoing.thread)
        if outgoing.unsubscribe_url:
            mail["List-Unsubscribe"] = f"<{outgoing.unsubscribe_url}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        if outgoing.alert:
            mail["X-Beforehand-Alert"] = outgoing.alert
        if outgoing.possibly_twice:
            mail["X-Beforehand-Possibly-Twice"] = "yes"
        mail.set_content(content.text)
        if content.html:
            mail.add_alternative(content.html, subtype="html")
        mail["Content-Language"] = content.locale  # the last: making the parts takes Content-… headers away
        return mail.as_bytes()

    async def close(self) -> None:
        while self._idle:
            client, _ = self._idle.pop()
            await _quit(client)

    def _message_id(self, message: str) -> str:
        return f"<{message}@{self._sender.rpartition('@')[2]}>"

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A connection that is ready for a mail; kept for the next one unless this one failed."""
        client = await self._kept() or await self._opened()
        try:
            yield client
        except BaseException as error:
            if isinstance(error, ChannelError) and not isinstance(error, Unreachable):
                try:
                    await client.rset()
                    self._idle.append((client, time.monotonic()))
                except (SMTPException, OSError, TimeoutError):
                    client.close()
            else:
                client.close()
            raise
        self._idle.append((client, time.monotonic()))

    async def _kept(self) -> aiosmtplib.SMTP | None:
        while self._idle:
            client, since = self._idle.pop()
            idle_s = time.monotonic() - since
            try:
                if client.is_connected and idle_s < IDLE_S:
                    if idle_s > 1:
                        await client.noop()
                    return client
            except (SMTPException, OSError, TimeoutError):
                pass  # it was closed meanwhile: that costs nothing but the next try
            await _quit(client)
        return None

    async def _opened(self) -> aiosmtplib.SMTP:
        client = aiosmtplib.SMTP(**self._connect, timeout=TIMEOUT_S)
        try:
            await client.connect()
        except (SMTPException, OSError, TimeoutError) as error:
            client.close()
            raise _judged(error, opening=True) from error
        return client


class _Verbatim(UnstructuredHeader):
    """A header of one long word: the stock one would break it up into encoded words, which nobody undoes in an address."""

    def fold(self, *, policy: "Policy[Any]") -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]  # the registry mixes it in


def _policy() -> "EmailPolicy[EmailMessage]":
    headers = HeaderRegistry()
    for name in ("message-id", "in-reply-to", "references", "list-unsubscribe"):
        headers.map_to_type(name, _Verbatim)  # type: ignore[arg-type]  # a mixin, as the stock ones are
    return SMTP.clone(header_factory=headers, cte_type="7bit")


def _connection_settings(url: str, password: str | None) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError(
            "BEFOREHAND_SMTP_URL must be like smtp://mail.example:587 or smtps://user@mail.example"
        )
    implicit = parts.scheme == "smtps"
    return {
        "hostname": parts.hostname,
        "port": parts.port or (465 if implicit else 25),
        "username": unquote(parts.username) if parts.username else None,
        "password": password or (unquote(parts.password) if parts.password else None),
        "use_tls": implicit,
        "tls_context": ssl.create_default_context(),
    }


def _judged(error: Exception, *, opening: bool = False, maybe_sent: bool = False) -> ChannelError:
    """What an SMTP error means for the message. A reply's text often repeats the address: it is cut out."""
    if isinstance(error, SMTPAuthenticationError):
        return Unreachable(f"the mail server refused our login: {_reply(error)}")
    if isinstance(error, SMTPResponseException):
        if opening or error.code == 421:
            return Unreachable(f"the mail server takes no mail now: {_reply(error)}")
        if 400 <= error.code < 500:
            return Retryable(f"the mail server refused it for now: {_reply(error)}")
        if error.code >= 500:
            return Permanent(f"the mail server refused it: {_reply(error)}")
    return Unreachable(f"the mail server can't be reached: {type(error).__name__}", maybe_sent=maybe_sent)


def _reply(error: SMTPResponseException) -> str:
    text = _ADDRESS.sub("…", " ".join(error.message.split()))
    return f"{error.code} {text}"[:200]


async def _quit(client: aiosmtplib.SMTP) -> None:
    try:
        if client.is_connected:
            await client.quit(timeout=1)
    except (SMTPException, OSError, TimeoutError):
        pass  # we only wanted to be polite
    client.close()
