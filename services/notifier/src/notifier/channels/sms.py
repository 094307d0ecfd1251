"""Text messages by Twilio's wire protocol, which other providers and our own stand-in speak too."""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from notifier.channels import ChannelError, Outgoing, Permanent, Retryable, Unreachable
from notifier.sms_segments import plain, segments_of

TIMEOUT_S = 20.0
MAX_SEGMENTS = 10  # Twilio's own limit: 1,600 characters

# our account's trouble (credentials, suspension, sender), no message's own: it is mended, and then they go out
_ACCOUNT_STATUS = frozenset({401, 403})


class Sms:
    """Sends from the number or sender id `sender`; receipts come to `receipts_url`, with the message's id in its query."""

    def __init__(
        self, url: str, *, account_sid: str, auth_token: str, sender: str, receipts_url: str
    ) -> None:
        self._url = f"{url.rstrip('/')}/2010-04-01/Accounts/{quote(account_sid, safe='')}/Messages.json"
        self._sender = sender
        self._receipts_url = receipts_url
        self._http = httpx.AsyncClient(
            auth=(account_sid, auth_token), timeout=TIMEOUT_S, follow_redirects=False
        )

    async def send(self, outgoing: Outgoing) -> str | None:
        body = plain(outgoing.content.text)
        if (segments := segments_of(body)) > MAX_SEGMENTS:
            raise Permanent(f"the text takes {segments} segments; at most {MAX_SEGMENTS} go out")
        form = {
            "To": outgoing.to,
            "From": self._sender,
            "Body": body,
            "StatusCallback": f"{self._receipts_url}?message={outgoing.id}",
        }
        try:
            answer = await self._http.post(self._url, data=form)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Unreachable(f"the SMS provider can't be reached: {type(error).__name__}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Retryable(
                f"the SMS provider did not answer: {type(error).__name__}", maybe_sent=True
            ) from error
        if not answer.is_success:
            raise _judged(answer)
        sid = _json(answer).get("sid")
        return str(sid) if sid else None

    async def close(self) -> None:
        await self._http.aclose()


def signature(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """What Twilio puts into X-Twilio-Signature for a POST of `form` to `url` (its docs: Validating Signatures)."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()


def _judged(answer: httpx.Response) -> ChannelError:
    said = _json(answer)
    # providers repeat the number in their answer: it is cut out
    text = re.sub(r"\+?\d[\d\s().-]{5,}\d", "…", " ".join(str(said.get("message", "")).split()))
    what = f"HTTP {answer.status_code} {said.get('code', '')} {text}".strip()[:200]
    if answer.status_code == 429 or answer.status_code >= 500:
        return Retryable(f"the SMS provider refused it for now: {what}", retry_after_s=_retry_after_s(answer))
    if answer.status_code in _ACCOUNT_STATUS:
        return Unreachable(f"the SMS provider refused our account: {what}")
    return Permanent(f"the SMS provider refused it: {what}")


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _retry_after_s(answer: httpx.Response) -> float | None:
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None
