"""Twilio's wire protocol for text messages, as its REST API (version 2010-04-01) speaks it; pure.

Sources: https://www.twilio.com/docs/messaging/api/message-resource, …/docs/api/errors,
…/docs/usage/webhooks/webhooks-security.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from beforehand.phone.segments import segments

API_VERSION = "2010-04-01"
MAX_BODY_CHARACTERS = 1600
_E164 = re.compile(r"\+[1-9]\d{6,14}")
# A short code, or the alphanumeric name that some countries allow.
_SENDER = re.compile(r"\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_SERVICE_SID = re.compile(r"MG[0-9a-f]{32}")


class TwilioError(Exception):
    """What Twilio answers in place of a message: its own code, and the HTTP status it comes with."""

    def __init__(self, code: int, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def body(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


UNAUTHENTICATED = TwilioError(20003, 401, "Authenticate")
TOO_MANY = TwilioError(20429, 429, "Too Many Requests")
INTERNAL = TwilioError(20500, 500, "An internal server error has occurred")


@dataclass(frozen=True)
class Order:
    """A message that somebody asks Twilio to send."""

    to: str
    sender: str
    service_sid: str
    body: str
    status_callback: str


def order(form: dict[str, str], *, unsubscribed: frozenset[str]) -> Order:
    """The message that a form asks for; raises TwilioError with the code that Twilio has for what is wrong."""
    to, sender, service = form.get("To", ""), form.get("From", ""), form.get("MessagingServiceSid", "")
    body, callback = form.get("Body", ""), form.get("StatusCallback", "")
    if not to:
        raise TwilioError(21604, 400, "A 'To' phone number is required.")
    if not _E164.fullmatch(to):
        raise TwilioError(21211, 400, f"Invalid 'To' Phone Number: {to}")
    if not sender and not service:
        raise TwilioError(21603, 400, "A 'From' phone number is required.")
    if sender and not _SENDER.fullmatch(sender):
        raise TwilioError(21212, 400, f"Invalid From Number (caller ID): {sender}")
    if service and not _SERVICE_SID.fullmatch(service):
        raise TwilioError(21701, 400, "The Messaging Service does not exist")
    if not body:
        raise TwilioError(21602, 400, "Message body is required.")
    if len(body) > MAX_BODY_CHARACTERS:
        raise TwilioError(
            21617, 400, f"The concatenated message body exceeds the {MAX_BODY_CHARACTERS} character limit"
        )
    if callback and not callback.startswith(("http://", "https://")):
        raise TwilioError(21609, 400, f"Invalid Url for callback: {callback}")
    if to in unsubscribed:
        raise TwilioError(21610, 400, "Attempt to send to unsubscribed recipient")
    return Order(to, sender, service, body, callback)


def not_found(path: str) -> TwilioError:
    return TwilioError(20404, 404, f"The requested resource {path} was not found")


def resource(wanted: Order, *, sid: str, account_sid: str, at: datetime) -> dict[str, Any]:
    """The Message resource as it is just after its creation, at `at`."""
    uri = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{sid}"
    return {
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "body": wanted.body,
        "date_created": format_datetime(at),
        "date_sent": None,
        "date_updated": format_datetime(at),
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": wanted.sender or None,
        "messaging_service_sid": wanted.service_sid or None,
        "num_media": "0",
        "num_segments": str(segments(wanted.body)),
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "accepted" if wanted.service_sid and not wanted.sender else "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": wanted.to,
        "uri": f"{uri}.json",
    }


def with_status(
    message: dict[str, Any], status: str, *, at: datetime, error_code: int | None
) -> dict[str, Any]:
    sent = message["date_sent"] or (None if status == "queued" else format_datetime(at))
    return {
        **message,
        "status": status,
        "date_sent": sent,
        "date_updated": format_datetime(at),
        "error_code": error_code,
    }


def receipt(message: dict[str, Any]) -> dict[str, str]:
    """The form that Twilio posts to the StatusCallback when a message has got another status."""
    form = {
        "AccountSid": message["account_sid"],
        "ApiVersion": API_VERSION,
        "MessageSid": message["sid"],
        "MessageStatus": message["status"],
        "SmsSid": message["sid"],
        "SmsStatus": message["status"],
        "To": message["to"],
    }
    if message["from"]:
        form["From"] = message["from"]
    if message["messaging_service_sid"]:
        form["MessagingServiceSid"] = message["messaging_service_sid"]
    if message["error_code"]:
        form["ErrorCode"] = str(message["error_code"])
    return form


def signature(url: str, form: dict[str, str], auth_token: str) -> str:
    """X-Twilio-Signature: HMAC-SHA1, in base64, of the URL and the form's sorted names and values."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), hashlib.sha1)).decode()
