"""When it is over: told in the same thread, to those who were told, and to nobody else."""


def test_the_end_is_told_once_a_channel_in_the_same_thread(house, entry):
    customer, address = house.customer(phone="+4915112345601")
    entries = (entry(0), entry(1, "payment-failed-again", ["email", "sms"]))
    told = house.transition(customer, *entries)
    house.mail_to(address, 2)
    house.fate("sent", alert=told.alert)
    house.goes_on(told, "resolved", how="event")

    mail = house.mail_to(address, 3)
    assert mail["Subject"] == "Paid, thank you"
    assert mail["In-Reply-To"] == house.mail.to(address)[0]["Message-ID"]
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
