"""Kills, restarts, replays, and more than one process: nothing is lost, and nothing comes twice without saying so."""

import time
from pathlib import Path


def test_a_mail_in_flight_at_a_kill_comes_once_more_and_says_so(restarted):
    house = restarted
    (customer, address), (other, at_other) = house.customer(), house.customer()
    house.transition(other)
    house.mail_to(at_other)
    house.fate("sent", customer=other)
    house.mail.on_mail = lambda _: house.process.kill()  # the server has the mail; its answer meets nobody
    told = house.transition(customer)
    house.mail_to(address)
    house.process.wait(10)
    house.mail.on_mail = lambda _: None
    house.start()

    again = house.mail_to(address, 2)
    assert again["Message-ID"] == house.mail.to(address)[0]["Message-ID"]
    assert again["X-Beforehand-Possibly-Twice"] == "yes"
    assert house.mail.to(address)[0]["X-Beforehand-Possibly-Twice"] is None
    assert house.fate("sent", alert=told.alert).possibly_twice
    house.looked_at(customer)
    assert (len(house.mail.to(address)), len(house.mail.to(at_other))) == (2, 1)


def test_a_stop_waits_for_the_mail_in_flight_and_a_replay_sends_nothing_twice(restarted, entry, until):
    house = restarted
    customer, address = house.customer(phone="+4915112345606")
    told = house.transition(customer, entry(template="order-late", channels=["email", "sms"]), vars={})
    house.mail_to(address)
    house.goes_on(told, "resolved")
    house.mail_to(address, 2)
    stopping = []

    def slowly(_):
        stopping.append(True)
        house.terminate()
        time.sleep(1)  # the server takes its time, and the signal comes meanwhile

    house.mail.on_mail = slowly
    last = house.transition(customer)
    until(lambda: stopping, "the mail to be on its way")
    assert house.process.wait(15) == 0, house.log()
    house.mail.on_mail = lambda _: None
    house.forget_offsets()
    house.start()

    assert house.fate("sent", alert=last.alert).possibly_twice is False
    house.looked_at(customer)
    assert len(house.mail.to(address)) == 3
    assert len(house.phone.to("+4915112345606")) == 2


def test_nothing_is_sent_before_the_topic_has_been_read_to_its_end(restarted):
    """The end of the second alert lies far behind its beginning, with more than a fetch of others between them."""
    house = restarted
    customer, address = house.customer()
    house.transition(customer)
    house.mail_to(address)  # so the profile is known
    house.stop()
    lasting = house.transition(customer)
    short = house.transition(customer)
    house.fill_alerts(customer, 700)
    house.goes_on(short, "resolved")
    house.command("pause", "--rule", "paused-before-the-start")
    paused = house.transition(customer, rule="paused-before-the-start")
    house.start()

    assert house.fate("sent", alert=lasting.alert)
    house.fate("suppressed", alert=short.alert)
    house.fate("held", alert=paused.alert)
    house.looked_at(customer)
    assert len(house.mail.to(address)) == 2


def test_a_mended_template_and_a_replayed_dead_letter_give_the_message(restarted, entry, until):
    house = restarted
    template = Path(house.environment["BEFOREHAND_TEMPLATES"]) / "en" / "greeting.firing.jinja"
    template.write_text(
        "{% block subject %}Hi{% endblock %}\n{% block text %}\n{{ vars.nickname }}\n{% endblock %}"
    )
    customer, address = house.customer()
    told = house.transition(customer, entry(template="greeting"))
    failed = house.fate("failed", alert=told.alert)
    assert failed.reason == "template en/greeting.firing.jinja, line 3: 'nickname' is missing"
    until(lambda: house.records("alerts.dead"), "the dead letter")

    template.write_text(
        "{% block subject %}Hi{% endblock %}{% block text %}{{ customer.name }}{% endblock %}"
    )
    house.command("dead", "replay", "--all")
    assert "Ada" in house.mail_to(address).get_body(["plain"]).get_content()


def test_processes_share_the_work_and_one_takes_over_from_the_other(shared_house):
    """On PostgreSQL: SQLite is for one process."""
    first = shared_house
    first.start()
    second = first.another()
    second.start()
    told = [first.customer() for _ in range(12)]
    for customer, _ in told:
        first.transition(customer)
    for _, address in told:
        first.mail_to(address)
    assert 0 < second.metric('beforehand_send_attempts_total{channel="email",outcome="sent"}') < 12

    second.kill()
    for customer, _ in told:
        first.transition(customer)
    for _, address in told:
        first.mail_to(address, 2)
    assert len(first.mail.mails) == 24
