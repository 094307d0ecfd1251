"""What every channel must do, whatever its provider: one table, run over real SMTP and real HTTP."""

import asyncio
import email
import email.policy
import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from aiosmtpd.controller import Controller

from beforehand.ports import free_port
from notifier.channels import Content, Outgoing, Permanent, Retryable, Unreachable
from notifier.channels.email import Email
from notifier.channels.sms import Sms

SECRET = "s3cret-token"


class MailProvider:
    """`refuse` is the reply to a mail; `cut` takes it and hangs up without a reply."""

    address = "ada@example.com"
    temporary = f"451 4.7.1 <{address}>: Greylisted"
    permanent = f"550 5.1.1 <{address}>: no such user {address}"

    def __init__(self):
        self.taken, self.refuse, self.cut = [], None, False
        self.port = free_port()
        self.channel = Email(
            f"smtp://127.0.0.1:{self.port}",
            "Shop <shop@example.com>",
            password=SECRET,
            clock=lambda: datetime.now(UTC),
        )

    async def start(self):
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        await asyncio.to_thread(self._controller.start)

    async def stop(self):
        await asyncio.to_thread(self._controller.stop)

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 - aiosmtpd's name
        if self.refuse:
            return self.refuse
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.taken.append((mail["To"], mail.get_body(["plain"]).get_content().strip()))
        if self.cut:
            server.transport.abort()
        return "250 OK"


class TextProvider:
    """The same for Twilio's endpoint."""

    address = "+4915112345678"
    temporary = (503, {"code": 20503, "message": f"not now for {address}"})
    permanent = (400, {"code": 21211, "message": f"The 'To' number {address} is not valid."})

    def __init__(self):
        self.taken, self.refuse, self.cut = [], None, False
        self.port = free_port()
        self.channel = Sms(
            f"http://127.0.0.1:{self.port}", account_sid="AC1", auth_token=SECRET, sender="+15005550006",
            receipts_url="http://127.0.0.1/v1/sms/status",
        )  # fmt: skip

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self):
        self._server.close()

    async def _serve(self, reader, writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            form = dict(parse_qsl((await reader.readexactly(length)).decode()))
            status, answer = self.refuse or (201, {"sid": "SM1"})
            if status == 201:
                self.taken.append((form["To"], form["Body"]))
            if self.cut:
                writer.close()
                return
            body = json.dumps(answer).encode()
            writer.write(
                b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body))
                + body
            )
            await writer.drain()
            writer.close()
            return


@pytest.fixture(params=[MailProvider, TextProvider], ids=["email", "sms"])
async def provider(request):
    made = request.param()
    await made.start()
    yield made
    await made.channel.close()
    await made.stop()


def outgoing(provider, text="Hello", number=0):
    content = Content(text=text, locale="en", subject="Hi", html="<p>Hello</p>")
    return Outgoing(id=f"00000000-0000-0000-0000-{number:012d}", to=provider.address, content=content)


async def test_what_is_accepted_has_arrived(provider):
    await provider.channel.send(outgoing(provider, "Hello, Ada"))
    assert provider.taken == [(provider.address, "Hello, Ada")]


async def test_many_at_once_all_arrive_once(provider):
    await asyncio.gather(*(provider.channel.send(outgoing(provider, f"text {n}", n)) for n in range(20)))
    assert sorted(text for _, text in provider.taken) == sorted(f"text {n}" for n in range(20))


@pytest.mark.parametrize(
    ("trouble", "verdict", "maybe_sent"),
    [
        ("temporary", Retryable, False),
        ("permanent", Permanent, None),
        ("cut", Retryable, True),
        ("gone", Unreachable, False),
    ],
)
async def test_trouble_has_its_verdict_tells_no_address_and_no_secret_and_passes(
    provider, trouble, verdict, maybe_sent
):
    if trouble == "gone":
        await provider.stop()
    provider.cut = trouble == "cut"
    provider.refuse = getattr(provider, trouble, None) if trouble in {"temporary", "permanent"} else None
    with pytest.raises(verdict) as failure:
        await provider.channel.send(outgoing(provider))

    said = str(failure.value)
    assert said
    assert provider.address not in said
    assert provider.address.strip("+") not in said
    assert SECRET not in said
    assert getattr(failure.value, "maybe_sent", None) == maybe_sent
    if trouble == "temporary":
        assert not isinstance(failure.value, Unreachable)
    if trouble == "gone":
        await provider.start()
    provider.cut, provider.refuse = False, None
    await provider.channel.send(outgoing(provider, "again", 1))
    assert provider.taken[-1] == (provider.address, "again")
