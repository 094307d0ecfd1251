"""A received mail, read: bytes in, what the page and GET /messages show out. No mail, however broken, raises."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any


def document(raw: bytes, *, sender: str, recipients: list[str], at: datetime) -> dict[str, Any]:
    """What GET /messages shows of a mail, received at `at`.

    `to` is whom it was delivered to (the SMTP envelope), comma separated; `from` is its From header, or the
    envelope's sender if it has none. `headers` has every header as text, unfolded and decoded; of a header that is
    repeated, the last. `text` and `html` are "" where the mail has no such part.
    """
    mail = _parse(raw)
    headers = dict(_headers(mail))
    named = {name.lower(): value for name, value in headers.items()}
    return {
        "to": ", ".join(recipients),
        "from": named.get("from") or sender,
        "subject": named.get("subject", ""),
        "text": _body(mail, "plain"),
        "html": _body(mail, "html"),
        "headers": headers,
        "at": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def all_headers(raw: bytes) -> list[tuple[str, str]]:
    """Every header in the mail's order, repeated ones too."""
    return list(_headers(_parse(raw)))


def attachments(raw: bytes) -> list[str]:
    """The name, or else the type, of each part that is neither of the two bodies."""
    try:
        return [part.get_filename() or part.get_content_type() for part in _parse(raw).iter_attachments()]
    except (MessageError, LookupError, ValueError, AttributeError):
        return []


def message_ids(headers: dict[str, str]) -> tuple[str, list[str]]:
    """The mail's own Message-ID ("" if none) and those it answers, from the thread's first to the latest."""
    named = {name.lower(): value for name, value in headers.items()}
    return named.get("message-id", ""), [
        *named.get("references", "").split(),
        *named.get("in-reply-to", "").split(),
    ]


def _parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def _headers(mail: EmailMessage) -> list[tuple[str, str]]:
    # Not mail.items(): the standard library's parser of structured headers fails at some broken ones.
    return [(name, _header_text(str(value))) for name, value in mail.raw_items()]


def _header_text(value: str) -> str:
    unfolded = " ".join(value.split())
    readable = unfolded.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(readable)))
    except (MessageError, LookupError, ValueError):
        return readable


def _body(mail: EmailMessage, kind: str) -> str:
    try:
        part = mail.get_body(preferencelist=(kind,))
        return str(part.get_content()).replace("\r\n", "\n") if part else ""
    except (MessageError, LookupError, ValueError, AttributeError):
        return "(this part cannot be read; the raw mail has it)"
