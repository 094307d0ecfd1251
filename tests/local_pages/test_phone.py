"""The phone against what knows Twilio: Twilio's own client library and its validator of signatures."""

import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client


class Elsewhere(TwilioHttpClient):
    """Twilio's own HTTP client, with the stand-in in the place of api.twilio.com."""

    def __init__(self, base):
        super().__init__(max_retries=0)
        self.base = base

    def request(self, method, url, *args, **kwargs):
        return super().request(method, url.replace("https://api.twilio.com", self.base), *args, **kwargs)


@pytest.fixture
def twilio(phone, account):
    http = Elsewhere(phone.page)
    yield Client(*account, http_client=http)
    http.session.close()


@pytest.fixture
def receipts():
    """Listens for receipts; each is (url, form, signature)."""
    came = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            came.put((f"{came.base}{self.path}", form, self.headers["X-Twilio-Signature"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        came.base = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield came
        server.shutdown()


def send(twilio, **fields):
    wanted = {"to": "+4915112345678", "from_": "+15005550006", "body": "Grüße"}
    return twilio.messages.create(**{**wanted, **fields})


def test_twilio_s_own_client_can_send_and_look_after_it(twilio, phone):
    made = send(twilio, body="Your order is late. " * 10)
    assert (made.status, made.num_segments, made.error_code) == ("queued", "2", None)
    assert made.sid.startswith("SM")
    deadline = time.monotonic() + 10
    while twilio.messages(made.sid).fetch().status != "delivered":
        assert time.monotonic() < deadline
    (text,) = phone.messages()
    assert set(text) == {"to", "from", "text", "at"}
    assert (text["to"], text["from"], text["text"]) == (
        "+4915112345678",
        "+15005550006",
        "Your order is late. " * 10,
    )


def test_what_is_wrong_has_twilio_s_code(twilio, phone):
    for fields, code in [
        ({"to": "015112345678"}, 21211),
        ({"to": ""}, 21604),
        ({"from_": ""}, 21603),
        ({"from_": "+0"}, 21212),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"status_callback": "ftp://example.com"}, 21609),
    ]:
        with pytest.raises(TwilioRestException) as refused:
            send(twilio, **fields)
        assert (refused.value.status, refused.value.code) == (400, code)
    assert phone.messages() == []


def test_a_wrong_token_is_refused(phone, account):
    sid, _ = account
    url = f"{phone.page}/2010-04-01/Accounts/{sid}/Messages.json"
    answer = httpx.post(
        url, data={"To": "+4915112345678", "From": "+15005550006", "Body": "x"}, auth=(sid, "wrong")
    )
    assert answer.status_code == 401
    assert answer.json() == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


def test_receipts_come_signed(twilio, phone, receipts, account):
    for told, statuses in [
        ("delivered", ["sent", "delivered"]),
        ("reversed", ["delivered", "sent"]),
        ("undelivered", ["sent", "undelivered"]),
    ]:
        phone.behave(receipts=told)
        made = send(twilio, status_callback=f"{receipts.base}/receipts?message=m-1")
        for status in statuses:
            url, form, signature = receipts.get(timeout=10)
            assert RequestValidator(account[1]).validate(url, form, signature)
            assert (form["MessageSid"], form["MessageStatus"], form["To"]) == (
                made.sid,
                status,
                "+4915112345678",
            )
            assert form.get("ErrorCode") == ("30003" if status == "undelivered" else None)


def test_it_refuses_as_told_and_works_again(twilio, phone):
    for mode, status, code in [("rate_limit", 429, 20429), ("error_500", 500, 20500)]:
        phone.behave(mode=mode)
        with pytest.raises(TwilioRestException) as refused:
            send(twilio)
        assert (refused.value.status, refused.value.code) == (status, code)
    phone.behave(mode="ok")
    send(twilio)
    assert len(phone.messages()) == 1


def test_whoever_wrote_stop_gets_no_more(twilio, phone):
    phone.behave(unsubscribed=["+4915112345678"])
    with pytest.raises(TwilioRestException) as refused:
        send(twilio)
    assert refused.value.code == 21610
    send(twilio, to="+4915199999999")
    assert [text["to"] for text in phone.messages()] == ["+4915199999999"]


def test_the_connection_breaks_without_an_answer(phone, account):
    url = f"{phone.page}/2010-04-01/Accounts/{account[0]}/Messages.json"
    for mode, kept in [("drop", 0), ("keep_and_drop", 1)]:
        phone.behave(mode=mode)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            httpx.post(url, data={"To": "+4915112345678", "From": "+15005550006", "Body": "x"}, auth=account)
        assert len(phone.messages()) == kept


def test_texts_survive_a_kill_and_are_shown_by_number(start, account):
    phone = start("phone")
    url = f"{phone.page}/2010-04-01/Accounts/{account[0]}/Messages.json"
    for to, body in [("+4915112345678", "first"), ("+447700900123", "other"), ("+4915112345678", "second")]:
        httpx.post(
            url, data={"To": to, "From": "+15005550006", "Body": body}, auth=account
        ).raise_for_status()
    phone.process.kill()
    phone.process.wait()
    again = start("phone")
    assert [text["text"] for text in again.messages()] == ["first", "other", "second"]
    page = httpx.get(f"{again.page}/numbers/+4915112345678").text
    pane = page[page.index('id="pane"') :]
    assert pane.index("first") < pane.index("second")
    assert "other" not in pane
    httpx.delete(f"{again.page}/messages")
    assert again.messages() == []
