"""The database. Times are microseconds since the Unix epoch, which every database keeps exactly."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from contracts.times import from_micros, to_micros

# SQLite numbers rows by itself only where the column is an INTEGER
Counter = BigInteger().with_variant(Integer(), "sqlite")


class Moment(TypeDecorator[datetime]):
    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_micros(value)


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012
        datetime: Moment,
        int: BigInteger,
        str: Text,
        bytes: LargeBinary,
        Any: JSON,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


class Offset(Base):
    """The next record to take from a partition, written in the transaction of the effects of those before it."""

    __tablename__ = "offsets"
    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    next: Mapped[int]


class Customer(Base):
    """Whoever was heard of. `seen_at` is the time of the last thing that happened to them.

    Of an erased customer only `id` and `erased_at` (the broker's time of the erasure) are left: what was written before
    it may still be read later from another topic, and is dropped then.
    """

    __tablename__ = "customers"
    id: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    name: Mapped[str | None]
    email: Mapped[str | None]
    seen_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    __table_args__ = (Index("customers_seen", "seen_at"),)


class Signal(Base):
    __tablename__ = "signals"
    source: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str]
    at: Mapped[datetime]
    type: Mapped[str]
    data: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    __table_args__ = (Index("signals_timeline", "customer", "at"), Index("signals_age", "at"))


class Alert(Base):
    """An alert as its newest transition (`seq`) left it; value, vars and evidence are those of the firing."""

    __tablename__ = "alerts"
    id: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str | None]
    rule: Mapped[str]
    state: Mapped[str]
    severity: Mapped[str]
    fired_at: Mapped[datetime]
    at: Mapped[datetime]
    seq: Mapped[int]
    momentary: Mapped[bool]
    key: Mapped[Any] = mapped_column(JSON())
    value: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    vars: Mapped[dict[str, Any]]
    evidence: Mapped[list[str]]
    words: Mapped[dict[str, Any]]
    __table_args__ = (
        Index("alerts_timeline", "customer", "fired_at"),
        Index("alerts_state", "state", "fired_at"),
    )


class AlertStep(Base):
    """One transition of an alert. `how` and `value` are those of the transition itself."""

    __tablename__ = "alert_steps"
    alert: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    customer: Mapped[str | None]
    state: Mapped[str]
    at: Mapped[datetime]
    how: Mapped[str | None]
    value: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    __table_args__ = (Index("alert_steps_customer", "customer"),)


class Message(Base):
    """A message as its first fate described it; what became of it is in its fates. `at` is the time of the first."""

    __tablename__ = "messages"
    id: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str]
    alert: Mapped[str | None]
    ticket: Mapped[str | None]
    at: Mapped[datetime]
    __table_args__ = (
        Index("messages_timeline", "customer", "at"),
        Index("messages_alert", "alert"),
        Index("messages_ticket", "ticket"),
    )


class Fate(Base):
    """One word on a message, as it stood on `messages`; `position` is the order in which they came."""

    __tablename__ = "fates"
    event: Mapped[str] = mapped_column(primary_key=True)
    message: Mapped[str]
    customer: Mapped[str]
    position: Mapped[int]
    record: Mapped[dict[str, Any]]
    __table_args__ = (Index("fates_message", "message"), Index("fates_customer", "customer"))


class TicketRow(Base):
    __tablename__ = "tickets"
    number: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(unique=True)
    customer: Mapped[str]
    subject: Mapped[str]
    state: Mapped[str]
    queue: Mapped[str]
    priority: Mapped[str]
    channel: Mapped[str]
    topic: Mapped[str | None]
    alert: Mapped[str | None]
    opened_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    entries: Mapped[int]
    __table_args__ = (
        Index("tickets_timeline", "customer", "opened_at"),
        Index("tickets_state", "state", "number"),
        Index("tickets_alert", "alert"),
        {"sqlite_autoincrement": True},  # a number is never given twice, not even after an erasure
    )


class EntryRow(Base):
    __tablename__ = "ticket_entries"
    ticket: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    by: Mapped[str]
    what: Mapped[str]
    text: Mapped[str | None]


class OutboxRow(Base):
    """A record that is to go to a topic, written with what it tells of; gone once the broker has it."""

    __tablename__ = "outbox"
    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    topic: Mapped[str]
    customer: Mapped[str]
    value: Mapped[bytes]
    __table_args__ = (Index("outbox_customer", "customer"), {"sqlite_autoincrement": True})


class Answer(Base):
    """What a request with this Idempotency-Key was answered, so that its repetition is answered the same."""

    __tablename__ = "answers"
    key: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str]
    at: Mapped[datetime]
    customer: Mapped[str | None]
    status: Mapped[int | None]
    body: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    __table_args__ = (Index("answers_age", "at"), Index("answers_customer", "customer"))
