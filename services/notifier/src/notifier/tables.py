"""The notifier's database: what was read, who is who, what is to be told, and what became of it.

The same tables on SQLite and PostgreSQL. Moments are microseconds since the Unix epoch, JSON is kept as bytes: neither
database then changes what was put in.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Dialect, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from contracts.times import from_micros, to_micros


class Moment(TypeDecorator[datetime]):
    """A moment in UTC to the microsecond."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_micros(value)


class Base(DeclarativeBase):
    type_annotation_map: Mapping[Any, Any] = {datetime: Moment, str: Text, bytes: LargeBinary}


class ReadOffset(Base):
    """How far a partition has been taken: stored in the transaction of what it caused."""

    __tablename__ = "offsets"
    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True)
    next_offset: Mapped[int] = mapped_column(BigInteger)


class ProfileRow(Base):
    __tablename__ = "profiles"
    customer: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[bytes]


class AlertRow(Base):
    """How an alert stands: the newest of its transitions that was read."""

    __tablename__ = "alerts"
    alert: Mapped[str] = mapped_column(primary_key=True)
    customer: Mapped[str | None] = mapped_column(index=True)
    rule: Mapped[str]
    state: Mapped[str]
    seq: Mapped[int]
    momentary: Mapped[bool]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class RecordRow(Base):
    """A record that messages are made from, as it came: templates are filled from it, and a dead letter returns it."""

    __tablename__ = "records"
    id: Mapped[str] = mapped_column(
        primary_key=True
    )  # topic and event id: offsets start anew with a new cluster
    topic: Mapped[str]
    partition: Mapped[int]
    offset: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[bytes | None]
    value: Mapped[bytes]
    customer: Mapped[str | None] = mapped_column(index=True)
    read_at: Mapped[datetime] = mapped_column(index=True)


class MessageRow(Base):
    """The delivery log: one row for each message that anybody was to get, and its fate.

    `state` is a fate of contracts.records, or `sending` from before the provider is called until its answer is recorded.
    A queued row is looked at from `ready_at` on. `after_failing` are the channels still to try, in order, as JSON.
    """

    __tablename__ = "messages"
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]  # firing, resolved, or reply (an agent's)
    state: Mapped[str]
    record: Mapped[str]  # what it is made from
    partition: Mapped[int]  # of that record: whoever reads the partition sends the message
    alert: Mapped[str | None] = mapped_column(index=True)
    seq: Mapped[int | None]
    rule: Mapped[str | None]
    entry: Mapped[int | None]
    ticket: Mapped[str | None] = mapped_column(index=True)
    customer: Mapped[str | None] = mapped_column(index=True)
    recipient: Mapped[str]
    channel: Mapped[str]
    after_failing: Mapped[bytes | None]
    template: Mapped[str]
    category: Mapped[str | None]
    due_at: Mapped[datetime]
    ready_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    expires_s: Mapped[float]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    possibly_twice: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str | None]
    locale: Mapped[str | None]
    summary: Mapped[str | None]
    sent_at: Mapped[datetime | None]
    provider_id: Mapped[str | None]
    traceparent: Mapped[str | None]  # W3C trace context of the record, if it has one

    __table_args__ = (
        Index("messages_to_look_at", "state", "ready_at"),
        Index("messages_finished", "updated_at"),
    )


class OptOutRow(Base):
    """A customer's wish: nothing more of this category (or, where an entry names none, of `rule/<id>`) by this channel."""

    __tablename__ = "opt_outs"
    customer: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class OutboxRow(Base):
    """A record that Kafka still has to be told, in the order of `id` within a `partition` of `alerts`."""

    __tablename__ = "outbox"
    # SQLite counts a primary key by itself only if its type is INTEGER
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    partition: Mapped[int] = mapped_column(index=True)
    topic: Mapped[str]
    key: Mapped[bytes | None]
    value: Mapped[bytes | None]
    headers: Mapped[bytes]
