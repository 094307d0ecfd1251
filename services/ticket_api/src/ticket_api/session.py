"""A browser's session at the desk: a signed cookie that says until when, and the check that a form came from our own page."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

COOKIE = "beforehand_desk"
LASTS = timedelta(hours=12)


class Sessions:
    """Signed with a key made from the desk's: a new desk key ends them all."""

    def __init__(self, desk_key: str) -> None:
        self._desk_key = desk_key.encode()
        self._signing_key = hmac.digest(self._desk_key, b"beforehand desk session", hashlib.sha256)

    def opens(self, given: str) -> bool:
        """Whether that is the desk's key."""
        return hmac.compare_digest(given.strip().encode(), self._desk_key)

    def begin(self, now: datetime) -> str:
        """A cookie's value."""
        until = str(int((now + LASTS).timestamp()))
        return f"{until}.{self._signature(until)}"

    def holds(self, cookie: str | None, now: datetime) -> bool:
        until, _, signature = (cookie or "").partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(until).encode()):
            return False
        return now.timestamp() < int(until)

    def _signature(self, until: str) -> str:
        return hmac.new(self._signing_key, until.encode(), hashlib.sha256).hexdigest()


def from_own_page(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that the request comes from a page of this very host and port.

    SameSite cookies alone would let pages of other ports and subdomains in: a site has no port.
    """
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    origin = headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == headers.get("host")
