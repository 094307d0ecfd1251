"""Kills and replays: nothing is lost, nothing happens twice."""

import sqlite3
from datetime import UTC, datetime

import pytest

from contracts import topics
from contracts.alerts import NotifyEntry, TicketOrder


@pytest.fixture
def own_desk(house_of_its_own, tmp_path, start_desk):
    """A service that a test may kill, with its database's file, alone on its topics."""
    return start_desk(house_of_its_own, tmp_path, f"sqlite:///{tmp_path}/desk.db")


def test_what_was_accepted_before_a_kill_is_told_after_it(house_of_its_own, own_desk, customer):
    nowhere = "127.0.0.1:9"
    own_desk.start(ready=False, BEFOREHAND_KAFKA=nowhere)
    ticket = own_desk.until(lambda: own_desk.answers() and own_desk.open(customer))
    assert own_desk.api.get("/readyz").json()["kafka"] is False
    own_desk.process.kill()
    own_desk.process.wait()
    own_desk.start()
    assert own_desk.api.get(f"/v1/tickets/{ticket['id']}").json() == ticket
    for topic in (topics.TICKETS, topics.EVENTS):
        assert [event.id for event in house_of_its_own.events(topic, 1, customer)] == [f"{ticket['id']}/1"]


def test_reading_it_all_again_changes_nothing(house_of_its_own, own_desk, customer, alert_id, tmp_path):
    house, at = house_of_its_own, datetime.now(UTC).replace(microsecond=0)
    own_desk.start()
    house.profile(customer, name="Ada")
    house.erase(customer)
    house.profile(customer, name="Ada, back again")
    own_desk.until(lambda: own_desk.timeline(customer)["customer"]["profile"])
    house.signal(customer, "order.placed", {"order_id": "o1"})
    found = {"alert": alert_id, "customer": customer, "fired_at": at, "at": at}
    house.transition(**found, notify=(NotifyEntry(index=0, ticket=TicketOrder("logistics")),))
    house.transition(**found, seq=2, state="resolved", how="event")
    house.message(customer, "sent", alert=alert_id)

    def all_there():
        items = {item["kind"]: item for item in own_desk.timeline(customer)["items"]}
        return (
            len(items) == 3 and items["alert"]["messages"] and len(items["ticket"]["ticket"]["history"]) == 2
        )

    own_desk.until(all_there)
    own_desk.until(lambda: own_desk.api.get("/readyz").json()["behind"] == 0)
    before = own_desk.timeline(customer)
    own_desk.stop()
    with sqlite3.connect(tmp_path / "desk.db") as database:
        assert database.execute("SELECT sum(next) FROM offsets").fetchone()[0] == 7
        database.execute("UPDATE offsets SET next = 0")
    database.close()
    own_desk.start()
    assert own_desk.timeline(customer) == before
    assert 'topic="signals"} 1.0' in own_desk.api.get("/metrics").text  # it did read it again
    assert len(house.read("tickets", 1, customer)) == len(house.read("events", 1, customer)) == 1
