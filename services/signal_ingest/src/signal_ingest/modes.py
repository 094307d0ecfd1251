"""CloudEvents' content modes: from headers and bytes to the JSON values of events, for HTTP and for Kafka alike.

Structured mode has the event in the body; binary mode has its attributes in headers (`ce-id`, on Kafka `ce_id`) and its
data in the body; batch mode, over HTTP only, has a list of events in the body. The bindings:
https://github.com/cloudevents/spec/tree/v1.0.2/cloudevents/bindings (http-protocol-binding.md, kafka-protocol-binding.md)
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from contracts.envelope import CONTENT_TYPE, MAX_BYTES, FieldProblem
from signal_ingest.accept import Reason, Rejected, too_large

BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
MAX_BATCH_BYTES = 5_000_000
MAX_BATCH_EVENTS = 1000

_JSON = re.compile(r"(application|text)/([a-z0-9!#$&^_.+-]+\+)?json", re.IGNORECASE)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\";\s]+)", re.IGNORECASE)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_decode = msgspec.json.Decoder().decode

_TAKEN = (
    f"send {CONTENT_TYPE} (an event), {BATCH_CONTENT_TYPE} (a list of them), "
    "or application/json with the attributes in ce- headers"
)


@dataclass(frozen=True, slots=True)
class Content:
    """The JSON values of the events in one request or record, not checked yet. `batch` says that it was a list."""

    events: tuple[Any, ...]
    batch: bool = False


def from_http(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> Content:
    """The events in a request; header names in lower case. Raises Rejected."""
    found = dict(headers)
    content_type = found.get(b"content-type", b"").decode("latin-1").strip()
    kind = _media_type(content_type)
    if kind == BATCH_CONTENT_TYPE:
        return _batch(body)
    attributes = {
        name[3:].decode("latin-1"): _unescaped(value) for name, value in found.items() if name[:3] == b"ce-"
    }
    fields = _single(kind, content_type, attributes, body)
    if isinstance(fields, list):
        raise _unsupported(content_type, f"is a list of events: send it as {BATCH_CONTENT_TYPE}")
    return Content((fields,))


def from_kafka(headers: Iterable[tuple[str, bytes]], value: bytes) -> Content:
    """The event in a record. Raises Rejected."""
    found = {name.lower(): header or b"" for name, header in headers}
    content_type = found.get("content-type", b"").decode("latin-1").strip()
    attributes = {name[3:]: header for name, header in found.items() if name.startswith("ce_")}
    return Content((_single(_media_type(content_type), content_type, attributes, value),))


def size_limit(content_type: str) -> int:
    """How many bytes a request's body may have."""
    return MAX_BATCH_BYTES if _media_type(content_type) == BATCH_CONTENT_TYPE else MAX_BYTES


def _single(kind: str, content_type: str, attributes: Mapping[str, bytes], body: bytes) -> Any:
    if len(body) > MAX_BYTES:
        raise Rejected(Reason.TOO_LARGE, [too_large()])
    if kind == CONTENT_TYPE:
        return _json(body)
    if kind.startswith("application/cloudevents"):
        raise _unsupported(kind)
    if attributes:
        return _binary(content_type, attributes, body)
    if kind and not _JSON.fullmatch(kind):
        raise _unsupported(kind)
    return _json(body)


def _batch(body: bytes) -> Content:
    if len(body) > MAX_BATCH_BYTES:
        raise Rejected(Reason.TOO_LARGE, [too_large(MAX_BATCH_BYTES)])
    events = _json(body)
    if not isinstance(events, list):
        raise Rejected(Reason.INVALID, [FieldProblem("", "must be a JSON list of CloudEvents")])
    if len(events) > MAX_BATCH_EVENTS:
        raise Rejected(
            Reason.TOO_LARGE,
            [FieldProblem("", f"has {len(events)} events, at most {MAX_BATCH_EVENTS} are taken")],
        )
    return Content(tuple(events), batch=True)


def _binary(content_type: str, attributes: Mapping[str, bytes], body: bytes) -> dict[str, Any]:
    problems: list[FieldProblem] = []
    fields: dict[str, Any] = {}
    for name, raw in attributes.items():
        if name in {"data", "datacontenttype"}:
            problems.append(
                FieldProblem(f"/{name}", "is no header: the body is data, its type is Content-Type")
            )
            continue
        try:
            fields[name] = raw.decode()
        except UnicodeDecodeError:
            problems.append(FieldProblem(f"/{name}", "is not UTF-8, percent-encoded over HTTP"))
    if problems:
        raise Rejected(Reason.INVALID, problems)
    if body:
        if not _JSON.fullmatch(_media_type(content_type)):
            raise _unsupported(
                content_type, "is of no JSON content type: send application/json, rules read JSON only"
            )
        fields["data"] = _json(body, "/data")
    return fields


def _json(raw: bytes, field: str = "") -> Any:
    try:
        return _decode(raw)
    except RecursionError:
        raise Rejected(
            Reason.INVALID, [FieldProblem(field, "has far too many lists inside each other")]
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Rejected(Reason.NOT_JSON, [FieldProblem(field, f"is not JSON in UTF-8: {error}")]) from None


def _media_type(content_type: str) -> str:
    charset = _CHARSET.search(content_type)
    if charset and charset[1].lower() not in {"utf-8", "utf8", "us-ascii"}:
        raise _unsupported(content_type, f"is in {charset[1][:40]}: send UTF-8")
    return content_type.split(";", 1)[0].strip().lower()


def _unescaped(value: bytes) -> bytes:
    """A header's value as the HTTP binding has it read: quotes off, then percent-decoded once."""
    value = value.strip()
    if len(value) >= 2 and value[:1] == value[-1:] == b'"':
        value = _ESCAPED.sub(rb"\1", value[1:-1])
    return unquote_to_bytes(value)


def _unsupported(content_type: str, says: str = "") -> Rejected:
    says = says or f"is of the content type {content_type[:80] or '(none)'}, which is not taken: {_TAKEN}"
    return Rejected(Reason.UNSUPPORTED, [FieldProblem("", says)])
