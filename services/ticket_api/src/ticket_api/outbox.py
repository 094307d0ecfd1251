"""What the other services are told of a ticket: rows in the transaction of the change itself, relayed by `publish`.

Both events of an entry have the id `<ticket>/<seq>`: a relay that crashes between the broker and the row's deletion
sends them again, and their readers know them for the same.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts import topics
from contracts.envelope import encode, event
from contracts.event_data import TicketFact
from contracts.records import TicketRecord
from ticket_api.tables import OutboxRow
from ticket_api.tickets import Entry, Ticket

SOURCE = "/beforehand/ticket_api"


def tell(session: AsyncSession, ticket: Ticket, entry: Entry, traceparent: str | None) -> None:
    """The whole of it for `tickets`, the fact without texts for `events`, where rules may count it. A note is told to nobody."""
    if entry.what == "noted":
        return
    record = TicketRecord(
        ticket=ticket.id, number=ticket.number, subject=ticket.subject, state=ticket.state, at=entry.at, by=entry.by,
        queue=ticket.queue, priority=ticket.priority, channel=ticket.channel, topic=ticket.topic, text=entry.text,
        alert=ticket.alert,
    )  # fmt: skip
    fact = TicketFact(
        ticket=ticket.id, queue=ticket.queue, priority=ticket.priority, channel=ticket.channel, topic=ticket.topic,
        alert=ticket.alert, by=entry.by,
    )  # fmt: skip
    extensions = {} if traceparent is None else {"traceparent": traceparent}
    for topic, data in ((topics.TICKETS, record), (topics.EVENTS, fact)):
        told = event(
            id=f"{ticket.id}/{entry.seq}", source=SOURCE, type=f"ticket.{entry.what}", time=entry.at, data=data,
            customerid=ticket.customer, subject=ticket.id, **extensions,
        )  # fmt: skip
        session.add(OutboxRow(topic=topic.name, customer=ticket.customer, value=encode(told)))
