"""Ids of messages: the same input gives the same id on any machine, however often it is read."""

from uuid import UUID, uuid5

import msgspec

# of this service's own choice, fixed for ever: another namespace would send everything anew at the next replay
NAMESPACE = UUID("f411142e-4de6-5812-8e00-ccc1cb1b951b")


def of_alert(alert: str, seq: int, entry: int, recipient: str, channel: str) -> str:
    """The id of what entry number `entry` of `notify`, due with an alert's transition `seq`, tells one recipient by one channel."""
    return _of([alert, seq, entry, recipient, channel])


def of_reply(ticket: str, event: str, recipient: str, channel: str) -> str:
    """The id of the message that carries an agent's reply, known by its event's id, to the customer."""
    return _of([ticket, event, recipient, channel])


def _of(parts: list[str | int]) -> str:
    return str(uuid5(NAMESPACE, msgspec.json.encode(parts).decode()))
