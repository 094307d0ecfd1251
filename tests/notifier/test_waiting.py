"""What waits, what is held, what a customer does not want, and what comes too late."""

from datetime import timedelta

import httpx


def test_an_alert_of_a_customer_not_known_yet_waits_for_the_profile(house):
    told = house.transition("c-new")
    house.looked_at("c-new")
    assert [m.fate for m in house.fates(alert=told.alert)] == ["queued"]

    _, address = house.customer("c-new")
    house.mail_to(address)


def test_it_waits_until_it_expires(house, entry):
    told = house.transition("c-never-known", entry(expires_s=2))

    assert house.fate("expired", alert=told.alert).fate == "expired"
    _, address = house.customer("c-never-known")
    house.looked_at("c-never-known")
    assert house.mail.to(address) == []


def test_history_read_for_the_first_time_floods_nobody(house, now):
    customer, address = house.customer()
    told = house.transition(customer, at=now() - timedelta(days=4))

    house.fate("expired", alert=told.alert)
    assert house.mail.to(address) == []


def test_a_paused_rule_is_held_until_it_is_resumed_and_tells_what_is_still_true(house, entry):
    customer, address = house.customer()
    house.command("pause", "--rule", "held-rule", "--why", "wrong prices")
    still = house.transition(customer, rule="held-rule")
    short = house.transition(customer, entry(expires_s=3), rule="held-rule")
    over = house.transition(customer, rule="held-rule")
    for told in (still, short, over):
        assert "wrong prices" in house.fate("held", alert=told.alert).reason
    house.goes_on(over, "resolved")
    house.fate("suppressed", alert=over.alert)
    other = house.transition(customer)
    house.fate("sent", alert=other.alert)
    assert len(house.mail.to(address)) == 1

    house.command("resume", "--rule", "held-rule")
    house.mail_to(address, 3)
    assert house.fate("sent", alert=still.alert)
    assert house.fate("sent", alert=short.alert), "what is held does not expire"


def test_a_paused_channel_is_held_and_the_other_goes_on(house, entry, until):
    customer, address = house.customer(phone="+4915112345602")
    house.command("pause", "--channel", "sms")
    told = house.transition(customer, entry(template="order-late", channels=["email", "sms"]), vars={})
    house.fate("held", alert=told.alert)
    house.mail_to(address)
    assert house.phone.to("+4915112345602") == []

    house.command("resume", "--channel", "sms")
    until(lambda: house.phone.to("+4915112345602"), "the text message")


def test_unsubscribing_takes_one_click_and_is_enforced(house, entry):
    customer, address = house.customer()
    house.transition(customer)
    link = house.mail_to(address)["List-Unsubscribe"].strip("<>")
    assert link.startswith(house.url)
    assert link in house.mail_to(address).get_body(["plain"]).get_content()

    page = httpx.get(link)  # a mail scanner follows it: nothing happens
    assert page.status_code == 200
    assert '<form method="post">' in page.text
    house.transition(customer)
    house.mail_to(address, 2)

    assert httpx.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    told = house.transition(customer)
    assert "opted out of billing" in house.fate("suppressed", alert=told.alert).reason
    house.transition(customer, entry(category="orders"))
    house.mail_to(address, 3)


def test_where_an_entry_names_no_category_the_rule_is_what_is_unsubscribed(house, entry):
    customer, address = house.customer(locale="de")
    house.transition(customer, entry(category=None))
    link = house.mail_to(address)["List-Unsubscribe"].strip("<>")
    assert "Erledigt" in httpx.post(link).text

    told = house.transition(customer, entry(category=None))
    house.fate("suppressed", alert=told.alert)
    house.transition(customer, entry(category=None), rule="another-rule")
    house.mail_to(address, 2)


def test_a_link_that_was_tampered_with_opts_nobody_out(house):
    answer = httpx.post(f"{house.url}/unsubscribe/WyJjMSIsImJpbGxpbmciLCJlbWFpbCJd.forged")
    assert answer.status_code == 404
    assert "not valid" in answer.text


def test_an_erased_customer_hears_nothing_more_and_leaves_no_text_behind(house, until):
    customer, address = house.customer()
    told = house.transition(customer)
    house.mail_to(address)
    house.command("pause", "--rule", "erasing")
    waiting = house.transition(customer, rule="erasing")
    house.fate("held", alert=waiting.alert)
    house.erase(customer)

    assert house.fate("suppressed", alert=waiting.alert).reason == "the customer was erased"
    house.command("resume", "--rule", "erasing")
    house.looked_at(customer)
    assert len(house.mail.to(address)) == 1
    assert house.stored(f"SELECT summary FROM messages WHERE alert = '{told.alert}'") == [(None,)]
    assert house.stored(
        f"SELECT count(*) FROM records WHERE customer = '{customer}' AND id LIKE '%{told.alert}%'"
    ) == [(0,)]
    assert house.stored(f"SELECT count(*) FROM profiles WHERE customer = '{customer}'") == [(0,)]
