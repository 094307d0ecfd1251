"""The SMTP side: takes mails in, or misbehaves as told."""

import asyncio
import socket
from collections.abc import Callable
from enum import StrEnum

from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import BaseModel, ConfigDict, Field

from beforehand.pages.serving import family

# RFC 5321 asks a server to take 64 kB at least; mail providers stop at 10 to 35 MB.
MAX_MAIL_BYTES = 10 * 1024 * 1024


class Mode(StrEnum):
    ACCEPT = "accept"
    SLOW = "slow"
    REJECT_TEMPORARILY = "reject_temporarily"
    REJECT = "reject"
    KEEP_AND_DROP = "keep_and_drop"
    DOWN = "down"


class Behaviour(BaseModel):
    """How the SMTP server treats what comes.

    accept · slow: each mail is kept, and answered after `seconds` · reject_temporarily: 451 to each mail, kept by
    nobody · reject: 550 to each recipient · keep_and_drop: the mail is kept, and the connection breaks before the
    answer · down: connections are refused, and those that are open break.
    """

    model_config = ConfigDict(extra="forbid")

    smtp: Mode = Mode.ACCEPT
    seconds: float = Field(default=5.0, ge=0, le=600)


class MailServer:
    """Listens while its behaviour is not `down`; hands every mail it keeps to `keep(raw, sender, recipients)`."""

    def __init__(self, listening: socket.socket, keep: Callable[[bytes, str, list[str]], None]) -> None:
        self.behaviour = Behaviour()
        self._address = listening.getsockname()[:2]
        self._listening: socket.socket | None = listening
        self._keep = keep
        self._server: asyncio.Server | None = None
        self._connections: set[SMTP] = set()

    async def start(self) -> None:
        """Raises OSError if another program took the port while this was down."""
        listening = self._listening or socket.create_server(self._address, family=family(self._address[0]))
        self._listening = None
        self._server = await asyncio.get_running_loop().create_server(self._connection, sock=listening)

    async def behave(self, behaviour: Behaviour) -> None:
        """Raises OSError as `start` does; the behaviour is as before then."""
        if behaviour.smtp is Mode.DOWN:
            self._stop()
        elif self._server is None:
            await self.start()
        self.behaviour = behaviour

    # aiosmtpd's hooks; the names are its own.

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.behaviour.smtp is Mode.REJECT:
            return "550 5.1.1 no such mailbox (the inbox was told to reject)"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.behaviour.smtp is Mode.REJECT_TEMPORARILY:
            return "451 4.3.0 try again later (the inbox was told to reject temporarily)"
        assert isinstance(envelope.content, bytes)
        self._keep(
            envelope.content, envelope.mail_from or "", [str(address) for address in envelope.rcpt_tos]
        )
        if self.behaviour.smtp is Mode.SLOW:
            await asyncio.sleep(self.behaviour.seconds)
        if self.behaviour.smtp is Mode.KEEP_AND_DROP:
            _break(server)
        return "250 2.0.0 OK: kept"

    def _connection(self) -> SMTP:
        connection = _Connection(self, self._connections)
        self._connections.add(connection)
        return connection

    def _stop(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            _break(connection)


class _Connection(SMTP):
    def __init__(self, server: MailServer, connections: set[SMTP]) -> None:
        # hostname: the default asks the name service, which may take seconds where there is none.
        super().__init__(
            server,
            hostname="localhost",
            ident="Beforehand inbox",
            data_size_limit=MAX_MAIL_BYTES,
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
        )
        self._connections = connections

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        super().connection_lost(error)


def _break(connection: SMTP) -> None:
    if isinstance(connection.transport, asyncio.Transport):
        connection.transport.abort()
