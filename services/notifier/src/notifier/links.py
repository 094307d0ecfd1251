"""Unsubscribe links: signed, so that nobody can opt others out, and good for as long as the mail is kept."""

from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer


@dataclass(frozen=True, slots=True)
class OptOut:
    """Nothing more of this category (or `rule/<id>`) for this customer by this channel."""

    customer: str
    category: str
    channel: str


class Links:
    def __init__(self, secret: str, public_url: str) -> None:
        self._serializer = URLSafeSerializer(secret, salt="beforehand unsubscribe")
        self._base = f"{public_url}/unsubscribe/"

    def unsubscribe_url(self, opt_out: OptOut) -> str:
        signed: str = self._serializer.dumps([opt_out.customer, opt_out.category, opt_out.channel])
        return self._base + signed

    def opt_out(self, token: str) -> OptOut | None:
        """What the link's last part stands for; None if we never made it."""
        try:
            customer, category, channel = self._serializer.loads(token)
        except (BadSignature, ValueError, TypeError):
            return None
        return OptOut(customer, category, channel)
