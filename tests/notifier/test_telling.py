"""Who is told what, by which channel, in which language, and what the other services hear of it."""

import json

from contracts import envelope
from contracts.alerts import RuleWords
from contracts.catalogue import problems_of


def test_a_mail_says_in_its_headers_what_it_is(house, entry):
    customer, address = house.customer()
    told = house.transition(customer)

    mail = house.mail_to(address)
    sent = house.fate("sent", alert=told.alert)
    assert mail["Subject"] == sent.summary == "Your payment of €59.90 did not go through"
    assert mail["From"] == "Harbour Shop <hello@harbour.example>"
    assert mail["Message-ID"] == f"<{sent.message}@harbour.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "en"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["X-Beforehand-Possibly-Twice"] is None
    assert "did not go through" in mail.get_body(["plain"]).get_content()
    assert "did not go through" in mail.get_body(["html"]).get_content()


def test_each_message_and_its_fate_are_told_to_the_other_services(house, entry, until):
    customer, _ = house.customer(phone="+4915112345678")
    told = house.transition(customer, entry(0), entry(1, "payment-failed-again", ["sms"]))

    until(lambda: len(house.fates(alert=told.alert)) == 4, "queued and sent of both")
    first, second = (
        [m for m in house.fates(alert=told.alert) if m.channel == channel] for channel in ("email", "sms")
    )
    assert [m.fate for m in first] == [m.fate for m in second] == ["queued", "sent"]
    assert (first[1].rule, first[1].seq, first[1].entry, first[1].category) == (
        "payment-failed",
        1,
        0,
        "billing",
    )
    assert (first[1].attempts, first[1].possibly_twice, first[1].recipient) == (1, False, customer)

    def facts():
        said = [envelope.decode(record.value) for record in house.records("events")]
        return [fact for fact in said if fact.customerid == customer]

    until(lambda: len(facts()) == 2, "two facts")
    assert {fact.type for fact in facts()} == {"message.sent"}
    assert {(fact.data["message"], fact.data["occasion"]) for fact in facts()} == {
        (first[0].message, "firing"),
        (second[0].message, "firing"),
    }
    assert [problems_of(fact.type, fact.customerid, fact.data) for fact in facts()] == [[], []]


def test_the_trace_of_an_alert_goes_on_to_its_messages_their_facts_and_the_log(house, entry, until):
    customer, _ = house.customer()
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    # the customer has no number: mail is what the first of the two leaves to the second
    first_of = entry(channels=["sms", "email"], first_of=True)
    told = house.transition(customer, first_of, traceparent=trace)
    house.fate("sent", alert=told.alert)

    def said():
        events = [
            envelope.decode(record.value) for name in ("messages", "events") for record in house.records(name)
        ]
        return [event for event in events if event.customerid == customer]

    def types():
        return sorted(event.type for event in said())

    until(lambda: types().count("message.sent") == 2, "the message's fate, and the fact")
    assert types() == ["message.queued"] * 2 + ["message.sent"] * 2 + ["message.suppressed"]
    assert {event.extensions.get("traceparent") for event in said()} == {trace}
    lines = [json.loads(line) for line in house.log().splitlines() if trace in line]
    assert {line["event"] for line in lines} == {"message sent", "message concluded"}


def test_a_text_message_goes_to_the_phone_in_the_customers_language(house, entry):
    customer, _ = house.customer(phone="+43 660 1234567", locale="de-AT")
    told = house.transition(customer, entry(template="order-late", channels=["sms"]), vars={"order": "o-7"})

    assert house.fate("sent", alert=told.alert).locale == "de"
    [text] = house.phone.to("+436601234567")
    assert text["From"] == "+15005550006"
    assert text["Body"].startswith("Harbour Shop: Ihre Bestellung o-7")
    assert text["path"] == "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json"


def test_times_are_in_the_customers_zone_and_amounts_as_the_customers_language_writes_them(house, entry):
    customer, address = house.customer(locale="de-DE", time_zone="Europe/Berlin")
    variables = {"order": "o-8", "promised_at": "2026-07-01T16:00:00Z", "amount": 1234.5, "currency": "EUR"}
    house.transition(customer, entry(template="order-late"), vars=variables)
    text = house.mail_to(address).get_body(["plain"]).get_content()
    assert "01.07.2026, 18:00 CEST" in text

    house.transition(customer, vars=variables)
    assert "1.234,50 €" in house.mail_to(address, 2)["Subject"]


def test_operations_are_told_at_their_address_without_an_unsubscribe_link(house, entry, until):
    house.transition(
        None, entry(template="service-outage", to="operations", category=None), rule="checkout-outage", key="",
        words=RuleWords("The checkout is failing", owner="web"), value=0.25, vars={"service": "checkout"},
    )  # fmt: skip

    mail = house.mail_to("ops@harbour.example")
    assert mail["List-Unsubscribe"] is None
    assert "The checkout is failing" in mail.get_body(["plain"]).get_content()


def test_a_rule_may_name_an_address(house, entry):
    customer, _ = house.customer()
    told = house.transition(customer, entry(template="notice", to="email", address="partner@carrier.example"))

    house.mail_to("partner@carrier.example")
    assert "carrier" not in house.fate("sent", alert=told.alert).recipient


def test_the_first_channel_that_works_is_taken(house, entry):
    customer, address = house.customer(phone="+4915112345679")
    told = house.transition(
        customer, entry(template="payment-failed-again", channels=["inapp", "sms", "email"], first_of=True)
    )

    assert house.fate("sent", alert=told.alert).channel == "sms"
    assert [(m.channel, m.fate) for m in house.fates(alert=told.alert)][:2] == [
        ("inapp", "queued"), ("inapp", "suppressed"),
    ]  # fmt: skip
    assert house.mail.to(address) == []


def test_a_later_entry_and_one_that_comes_due_again_join_the_thread(house, entry):
    customer, address = house.customer()
    told = house.transition(customer)
    first = house.mail_to(address)
    house.goes_on(told, "due", 2, notify=(entry(1, "payment-failed-again"),))
    second = house.mail_to(address, 2)
    house.goes_on(told, "due", 3, notify=(entry(1, "payment-failed-again"),))
    third = house.mail_to(address, 3)

    assert second["In-Reply-To"] == third["In-Reply-To"] == first["Message-ID"]
    assert third["References"] == f"{first['Message-ID']} {second['Message-ID']}"


def test_two_alerts_of_one_second_and_of_one_order_number_are_each_told(house, entry, now):
    (one, at_one), (two, at_two) = house.customer(), house.customer()
    moment = now()
    for customer in (one, one, two):
        house.transition(customer, key="o-1", at=moment, fired_at=moment)

    house.mail_to(at_one, 2)
    house.mail_to(at_two, 1)


def test_a_rule_in_shadow_mode_tells_nobody_but_says_what_it_would_have(house):
    customer, address = house.customer()
    told = house.transition(customer, words=RuleWords("A payment failed", mode="shadow"))

    assert "shadow" in house.fate("suppressed", alert=told.alert).reason
    assert house.mail.to(address) == []


def test_an_agents_reply_goes_out_by_mail(house, now):
    customer, address = house.customer()
    house.ticket_reply(customer, by="customer", text="Where is it?")
    house.ticket_reply(customer, by="agent", text="It arrives today.\n\nBest wishes\nGrace <3")

    mail = house.mail_to(address)
    assert mail["Subject"] == "[#12] Where is my order?"
    assert "It arrives today.\n\nBest wishes\nGrace <3" in mail.get_body(["plain"]).get_content().replace(
        "\r\n", "\n"
    )
    assert "Grace &lt;3" in mail.get_body(["html"]).get_content()
    assert mail["Auto-Submitted"] is None, "a person wrote it"
    assert "automatic" not in mail.get_body(["plain"]).get_content()
    house.ticket_reply(customer, by="agent", text="It is here.")
    assert house.mail_to(address, 2)["In-Reply-To"] == mail["Message-ID"]
