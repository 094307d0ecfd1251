"""What is a channel's own: a mail's form, and how providers say that the trouble is our account's."""

import email
import email.policy
from datetime import UTC, datetime

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from twilio.request_validator import RequestValidator

from beforehand.ports import free_port
from notifier.addresses import valid_address, valid_number
from notifier.channels import Content, Outgoing, Permanent, Retryable, Unreachable
from notifier.channels.email import Email
from notifier.channels.sms import Sms, signature

ID = "1b4e28ba-2fa1-51d2-883f-0016d3cca427"


def mail(**more):
    channel = Email(
        "smtp://127.0.0.1",
        "Grüner Laden <shop@example.com>",
        clock=lambda: datetime(2026, 1, 10, 12, tzinfo=UTC),
    )
    content = Content(text="Grüße\n", html="<p>Grüße</p>", subject=more.pop("subject", "Hi"), locale="de")
    raw = channel.compose(Outgoing(**({"id": ID, "to": "ada@example.com", "content": content} | more)))
    return raw, email.message_from_bytes(raw, policy=email.policy.default)


def test_long_headers_stay_whole_on_the_wire():
    url = "https://shop.example/unsubscribe/" + "x" * 300
    raw, parsed = mail(unsubscribe_url=url, thread=(ID, ID[::-1]))
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in raw
    assert f"References: <{ID}@example.com> <{ID[::-1]}@example.com>\r\n".encode() in raw
    assert parsed["From"] == "Grüner Laden <shop@example.com>"
    assert parsed["Date"].datetime == datetime(2026, 1, 10, 12, tzinfo=UTC)
    assert max(map(len, raw.split(b"\r\n"))) < 998
    raw.decode("ascii")


def test_nothing_in_a_subject_becomes_a_header():
    _, parsed = mail(subject="Hi\r\nBcc: all@example.com")
    assert parsed["Bcc"] is None
    assert parsed["Subject"] == "Hi Bcc: all@example.com"


def test_an_address_that_is_none_fails_for_good():
    with pytest.raises(Permanent):
        mail(to="ada@example.com\r\nBcc: all@example.com")


@pytest.mark.parametrize(
    ("given", "taken"),
    [("Ada@Example.com", "Ada@example.com"), ("ada@grün.example", "ada@xn--grn-ioa.example"), ("ada", None), ("a@b\nc", None), ("", None)],
)  # fmt: skip
def test_addresses_are_taken_as_smtp_wants_them(given, taken):
    assert valid_address(given) == taken


@pytest.mark.parametrize(
    ("given", "taken"),
    [("+49 151 12345678", "+4915112345678"), ("+1 (415) 555-2671", "+14155552671"), ("0151 12345678", None), ("+4", None)],
)  # fmt: skip
def test_numbers_are_taken_in_e164(given, taken):
    assert valid_number(given) == taken


async def test_a_refused_login_is_the_channels_trouble_and_names_no_password():
    class Handler:
        pass

    server = Controller(
        Handler(), hostname="127.0.0.1", port=free_port(), auth_require_tls=False,
        authenticator=lambda *_: AuthResult(success=False, handled=False),
    )  # fmt: skip
    server.start()
    channel = Email(
        f"smtp://me@127.0.0.1:{server.port}",
        "a@example.com",
        password="p4ss",
        clock=lambda: datetime.now(UTC),
    )
    try:
        with pytest.raises(Unreachable, match="refused our login: 535") as failure:
            await channel.send(
                Outgoing(id=ID, to="ada@example.com", content=Content(text="t", locale="en", subject="s"))
            )
        assert "p4ss" not in str(failure.value)
    finally:
        await channel.close()
        server.stop()


@pytest.mark.parametrize(
    ("status", "verdict", "retry_after_s"),
    [(401, Unreachable, None), (403, Unreachable, None), (429, Retryable, 7.0), (404, Permanent, None)],
)
async def test_how_a_text_provider_says_whose_trouble_it_is(status, verdict, retry_after_s):
    channel = Sms(
        "http://sms.example/", account_sid="AC1", auth_token="t", sender="+1", receipts_url="http://r"
    )
    await channel._http.aclose()
    channel._http = httpx.AsyncClient(
        transport=httpx.MockTransport(
            lambda _: httpx.Response(status, headers={"Retry-After": "7"}, text="no JSON")
        )
    )
    with pytest.raises(verdict) as failure:
        await channel.send(Outgoing(id=ID, to="+4915112345678", content=Content(text="t", locale="en")))
    assert type(failure.value) is verdict
    assert getattr(failure.value, "retry_after_s", None) == retry_after_s
    await channel.close()


async def test_a_text_that_is_far_too_long_is_not_sent():
    channel = Sms(
        "http://sms.example", account_sid="AC1", auth_token="t", sender="+1", receipts_url="http://r"
    )
    with pytest.raises(Permanent, match="takes 11 segments"):
        await channel.send(
            Outgoing(id=ID, to="+4915112345678", content=Content(text="a" * 1600, locale="en"))
        )
    await channel.close()


def test_signatures_are_as_twilio_makes_them():
    url, form = (
        "https://shop.example/v1/sms/status?message=1",
        {"MessageStatus": "delivered", "MessageSid": "SM1", "Empty": ""},
    )
    assert signature("token", url, form) == RequestValidator("token").compute_signature(url, form)
