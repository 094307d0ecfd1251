"""The thinnest line."""

from contracts import topics


def test_line(house, desk, customer, alert_id):
    house.signal(customer, "order.placed", {"order_id": "o1"})
    house.transition(alert=alert_id, customer=customer)
    house.message(customer, "sent", alert=alert_id, summary="late")
    ticket = desk.open(customer)
    assert desk.api.get(f"/v1/tickets/{ticket['id']}").json() == ticket
    assert desk.api.get(f"/v1/tickets/{ticket['number']}").json() == ticket
    items = desk.items(customer, 3)
    print(items)
    [told] = house.events(topics.TICKETS, 1, customer)
    [fact] = house.events(topics.EVENTS, 1, customer)
    print(told, fact)
