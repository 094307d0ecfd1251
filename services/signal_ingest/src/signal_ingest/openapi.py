"""What the HTTP interface says of itself: the OpenAPI page and the text at /."""

from typing import Any

from contracts.catalogue import CATALOGUE, EventType
from contracts.envelope import CONTENT_TYPE, MAX_BYTES
from signal_ingest.modes import BATCH_CONTENT_TYPE, MAX_BATCH_BYTES, MAX_BATCH_EVENTS
from signal_ingest.problems import MEDIA_TYPE

DESCRIPTION = f"""\
Post what happens in your systems as [CloudEvents 1.0](https://cloudevents.io); rules decide whom to tell.

* **202 means kept**: Kafka has the event on all its replicas. Send again after any 5xx, 429 or a broken connection: a
  repeated (`source`, `id`) is recognised for 24 h, answered 202, and written once.
* **`customerid`** names the customer whom the event concerns. Whoever knows that an order was delivered must say whose.
* **`time`** is when it happened, RFC 3339; without it, when it arrived here. More than ten minutes ahead is refused.
* Types of the catalogue are checked field by field; any other type is taken as it is. `data` is JSON.
* One event has at most {MAX_BYTES:,} bytes, a list at most {MAX_BATCH_EVENTS:,} events and {MAX_BATCH_BYTES:,} bytes.
* Every error is `application/problem+json` (RFC 9457) and names each wrong field by its JSON pointer.
"""


def _example(kind: EventType) -> dict[str, Any]:
    customer = {} if kind.concerns == "nobody" else {"customerid": "c-42"}
    return {
        "specversion": "1.0",
        "id": f"{kind.name}-1",
        "source": "/shop/orders",
        "type": kind.name,
        "time": "2026-01-09T12:00:00Z",
        **customer,
        "data": kind.example,
    }


_EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "description": "unique within the source; the same event has the same id"},
        "source": {
            "type": "string",
            "description": "which of your systems, a URI reference",
            "example": "/shop/orders",
        },
        "type": {"type": "string", "description": "what happened", "example": "order.placed"},
        "time": {"type": "string", "format": "date-time", "description": "when it happened"},
        "customerid": {"type": "string", "description": "the customer whom it concerns"},
        "subject": {"type": "string"},
        "data": {"type": "object", "description": "JSON; for the catalogue's types see the examples"},
    },
    "additionalProperties": {"type": ["string", "integer", "boolean"]},
}

_RESULT = {
    "type": "object",
    "properties": {
        "source": {"type": "string"},
        "id": {"type": "string"},
        "status": {"enum": ["accepted", "duplicate"]},
    },
}

_PROBLEM = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "JSON pointer; in a list it begins with the index",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def _problem(
    description: str, name: str, status: int, detail: str, *errors: tuple[str, str]
) -> dict[str, Any]:
    example = {
        "type": f"urn:beforehand:problem:{name}",
        "title": name.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
    }
    if errors:
        example |= {"errors": [{"pointer": pointer, "detail": says} for pointer, says in errors]}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": _PROBLEM, "example": example}}}


_RETRY = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
_AMOUNT = ("/data/amount", "must be at least 0 (in the currency's unit: 19.9 is 19.90 EUR)")

EVENTS_OPERATION: dict[str, Any] = {
    "summary": "Post events",
    "description": "One CloudEvent in structured or binary mode, or a list of them: a list is taken whole or not at all, "
    "and one mistake in it leaves all of it unwritten.",
    "status_code": 202,
    "responses": {
        202: {
            "description": "Kafka has it. For a list, a list of the same length.",
            "content": {
                "application/json": {
                    "schema": {"oneOf": [_RESULT, {"type": "array", "items": _RESULT}]},
                    "example": {"source": "/shop/orders", "id": "order.placed-1", "status": "accepted"},
                }
            },
        },
        400: _problem("Not JSON", "not-json", 400, "the body is not JSON in UTF-8"),
        401: _problem("No key, or one that is not known", "unauthorized", 401, "this key is not known here"),
        403: _problem(
            "The key is not for this source or type", "forbidden", 403,
            "this key may not post events of the source '/bank'",
        ),
        413: _problem("Too large", "too-large", 413, f"the body is larger than {MAX_BYTES:,} bytes"),
        415: _problem("A content type that is not taken", "unsupported-content", 415, "text/csv is not taken"),
        422: _problem("Wrong fields, each named", "invalid-event", 422, " ".join(_AMOUNT), _AMOUNT),
        503: _problem("Kafka is away, or too much at once", "unavailable", 503, "send the same again")
        | {"headers": _RETRY},
    },
    "openapi_extra": {
        "security": [{"key": []}],
        "requestBody": {
            "required": True,
            "content": {
                CONTENT_TYPE: {
                    "schema": _EVENT_SCHEMA,
                    "examples": {
                        kind.name: {"summary": kind.says, "value": _example(kind)} for kind in CATALOGUE.values()
                    },
                },
                BATCH_CONTENT_TYPE: {
                    "schema": {"type": "array", "items": _EVENT_SCHEMA, "maxItems": MAX_BATCH_EVENTS},
                    "example": [_example(CATALOGUE["order.placed"]), _example(CATALOGUE["payment.failed"])],
                },
                "application/json": {
                    "schema": {"type": "object"},
                    "description": "the data alone, with the attributes in ce- headers (binary mode), or an event",
                    "example": CATALOGUE["order.placed"].example,
                },
            },
        },
    },
}  # fmt: skip

_HOW = """\
Beforehand takes events here.

  curl -i {base}v1/events \\
    -H "Authorization: Bearer $KEY" \\
    -H "Content-Type: application/cloudevents+json" \\
    -d '{{"specversion": "1.0", "id": "1", "source": "/shop/orders", "type": "order.placed",
         "customerid": "c-42", "data": {{"order_id": "o-1001"}}}}'

202 means that it is kept. Everything else says what was wrong, field by field.
Binary mode and lists work too. All of it, with an example of each known type: {base}docs
"""


def how_to_post(base: str) -> str:
    return _HOW.format(base=base)
