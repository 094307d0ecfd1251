"""Templates that fail, records that can't be read, providers that are down or refuse: each is said, and the stream goes on."""

import base64
import hashlib
import hmac

import httpx
import pytest

from contracts import topics
from contracts.dead import DeadLetter


def test_a_template_that_fails_is_a_failed_message_and_a_dead_letter_and_the_next_one_comes(
    house, entry, until
):
    customer, address = house.customer()
    told = house.transition(customer, entry(template="no-such-template"))
    failed = house.fate("failed", alert=told.alert)
    assert "no-such-template.firing.jinja" in failed.reason

    house.transition(customer)
    house.mail_to(address)
    [letter] = [
        letter
        for letter in until(lambda: house.records("alerts.dead"), "a dead letter")
        if told.alert.encode() in letter.value
    ]
    said = DeadLetter.from_headers(letter.headers)
    assert said.reason == failed.reason
    assert said.topic == house.prefix + "alerts"


@pytest.mark.parametrize("topic", [topics.ALERTS, topics.CUSTOMERS])
def test_a_record_that_is_no_event_goes_to_the_dead_letters_and_the_partition_goes_on(house, topic, until):
    customer, address = house.customer()
    house.put(topic, customer, b"\xff\x00 not JSON at all")
    house.put(
        topic,
        customer,
        b'{"specversion": "1.0", "id": "1", "source": "/x", "type": "t", "time": "2026-01-01T00:00:00Z"}',
    )
    house.transition(customer)

    house.mail_to(address)
    dead = until(
        lambda: (
            (found := [r for r in house.records(f"{topic.name}.dead") if r.key == customer.encode()])[1:]
            and found
        ),
        "both dead letters",
    )
    assert "is not JSON" in DeadLetter.from_headers(dead[0].headers).reason
    assert dead[0].value == b"\xff\x00 not JSON at all"


def test_a_record_that_the_database_refuses_does_not_take_its_neighbours_with_it(house, until):
    customer, address = house.customer()
    bad = house.transition(customer, seq=2**70)
    house.transition(customer, rule="r")

    house.mail_to(address)
    until(
        lambda: [r for r in house.records("alerts.dead") if bad.alert.encode() in r.value], "the dead letter"
    )


def test_a_recipient_whom_the_server_refuses_is_failed_with_its_reason_and_no_address(house):
    customer, address = house.customer()
    house.mail.answer = f"550 5.1.1 <{address}> unknown user"
    try:
        told = house.transition(customer)
        failed = house.fate("failed", alert=told.alert)
    finally:
        house.mail.answer = "250 OK"
    assert failed.reason == "the mail server refused it: 550 5.1.1 … unknown user"
    assert address not in house.log()


def test_a_refusal_for_now_is_tried_again(house, until):
    customer, address = house.customer()
    house.mail.answer = "451 4.3.0 try again later"
    try:
        told = house.transition(customer)
        tried = f"SELECT id FROM messages WHERE alert = '{told.alert}' AND state = 'queued' AND attempts > 0"
        until(lambda: house.stored(tried), "a first try")
    finally:
        house.mail.answer = "250 OK"
    house.mail_to(address)
    assert house.fate("sent", alert=told.alert).attempts >= 2
    assert (
        'beforehand_send_attempts_total{channel="email",outcome="retry"}'
        in httpx.get(f"{house.url}/metrics").text
    )


def test_mail_goes_out_seconds_after_the_server_is_back_and_texts_meanwhile(house, entry, until):
    customer, address = house.customer(phone="+4915112345603")
    house.mail.stop()
    try:
        house.transition(customer, entry(template="order-late", channels=["email", "sms"]), vars={})
        until(lambda: house.phone.to("+4915112345603"), "the text message")
        until(
            lambda: 'beforehand_channel_down{channel="email"} 1.0' in httpx.get(f"{house.url}/metrics").text,
            "the channel to be down",
        )
    finally:
        house.mail.start()
    house.mail_to(address)
    assert "can't be reached" in house.log()


def test_a_text_that_the_provider_refuses_is_failed_without_the_number(house, entry):
    customer, _ = house.customer(phone="+4915112345604")
    house.phone.answer = (
        400,
        '{"code": 21211, "message": "The \'To\' number +4915112345604 is not valid.", "status": 400}',
    )
    try:
        told = house.transition(customer, entry(template="order-late", channels=["sms"]), vars={})
        failed = house.fate("failed", alert=told.alert)
    finally:
        house.phone.answer = None
    assert "21211" in failed.reason
    assert "49151" not in failed.reason + house.log()


def test_a_receipt_says_that_a_text_was_delivered_and_is_never_taken_back(house, entry, until):
    customer, _ = house.customer(phone="+4915112345605")
    told = house.transition(customer, entry(template="order-late", channels=["sms"]), vars={})
    house.fate("sent", alert=told.alert)
    [text] = house.phone.to("+4915112345605")

    assert receipt(text, "delivered", token="somebody-else").status_code == 403
    assert receipt(text, "delivered").status_code == 200
    assert house.fate("delivered", alert=told.alert)
    assert receipt(text, "sent").status_code == 200
    assert receipt(text, "undelivered", ErrorCode="30003").status_code == 200
    house.looked_at(customer)
    assert [m.fate for m in house.fates(alert=told.alert)] == ["queued", "sent", "delivered"]


def receipt(text, status, token="an-auth-token", **more):
    """What the provider posts to the address that the message named."""
    url, form = text["StatusCallback"], {"MessageSid": "SM1", "MessageStatus": status} | more
    signed = url + "".join(key + form[key] for key in sorted(form))
    signature = base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    return httpx.post(url, data=form, headers={"X-Twilio-Signature": signature})
