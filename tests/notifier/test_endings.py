"""When it is over: told in the same thread, to those who were told, and to nobody else."""

import threading


def test_the_end_is_told_once_a_channel_in_the_same_thread(house, entry, until):
    customer, address = house.customer(phone="+4915112345601")
    entries = (entry(0), entry(1, "payment-failed-again", ["email", "sms"]))
    told = house.transition(customer, *entries)
    house.mail_to(address, 2)
    until(lambda: [m.fate for m in house.fates(alert=told.alert)].count("sent") == 3, "all three to be out")
    house.goes_on(told, "resolved", how="event")

    mail = house.mail_to(address, 3)
    first = next(m for m in house.fates(alert=told.alert) if m.entry == 0)
    assert mail["Subject"] == "Paid, thank you"
    assert mail["In-Reply-To"] == f"<{first.message}@harbour.example>"
    house.looked_at(customer)
    assert len(house.mail.to(address)) == 3
    assert [("has arrived" in text["Body"]) for text in house.phone.to("+4915112345601")] == [False, True]


def test_who_was_not_told_does_not_hear_of_the_end(house, entry):
    customer, address = house.customer()  # has no phone
    told = house.transition(customer, entry(0, channels=["sms"]))
    house.fate("suppressed", alert=told.alert)
    house.goes_on(told, "resolved")

    house.looked_at(customer)
    assert house.mail.to(address) == []
    assert [m.fate for m in house.fates(alert=told.alert)] == ["queued", "suppressed"]


def test_an_entry_that_speaks_of_firing_only_is_silent_at_the_end(house, entry):
    customer, address = house.customer()
    told = house.transition(customer, entry(resolves=False))
    house.mail_to(address)
    house.goes_on(told, "resolved")

    house.looked_at(customer)
    assert len(house.mail.to(address)) == 1


def test_what_is_resolved_before_it_was_sent_is_not_sent_and_neither_is_the_end(house, entry):
    customer = "c-not-known-yet"
    told = house.transition(customer)
    house.fate("queued", alert=told.alert)
    house.goes_on(told, "resolved")

    assert house.fate("suppressed", alert=told.alert).reason == "resolved before it was sent"
    _, address = house.customer(customer)
    house.looked_at(customer)
    assert house.mail.to(address) == []
    assert [m.fate for m in house.fates(alert=told.alert)] == ["queued", "suppressed"]


def test_a_silent_end_suppresses_what_waits_but_not_the_message_of_a_moment(house, until):
    customer = "c-not-known-either"
    lasting = house.transition(customer, momentary=False)
    moment = house.transition(customer, momentary=True)
    until(lambda: house.fates(alert=moment.alert), "both to be queued")
    for told in (lasting, moment):
        house.goes_on(told, "ended")
    house.fate("suppressed", alert=lasting.alert)

    _, address = house.customer(customer)
    house.mail_to(address)
    assert house.fate("sent", alert=moment.alert)
    house.looked_at(customer)
    assert len(house.mail.to(address)) == 1


def test_an_end_that_comes_while_its_beginning_is_on_its_way_waits_for_what_becomes_of_it(house, until):
    customer, address = house.customer()
    arrived, go_on = threading.Event(), threading.Event()
    house.mail.answer = "451 4.3.0 not now"
    house.mail.on_mail = lambda _: (arrived.set(), go_on.wait(20))
    try:
        told = house.transition(customer)
        assert arrived.wait(20)
        house.goes_on(told, "resolved")
        until(
            lambda: [m.fate for m in house.fates(alert=told.alert)] == ["queued", "queued"],
            "the end to be read",
        )
        go_on.set()
        until(
            lambda: [m.fate for m in house.fates(alert=told.alert)].count("suppressed") == 2,
            "both to be given up",
        )
    finally:
        go_on.set()
        house.mail.on_mail, house.mail.answer = (lambda _: None), "250 OK"
    house.looked_at(customer)
    assert house.mail.to(address) == []
