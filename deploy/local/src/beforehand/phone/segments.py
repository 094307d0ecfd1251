"""How many segments a text message takes on the wire (3GPP TS 23.038: GSM-7, or UCS-2 where that can't say it)."""

from collections.abc import Iterable

_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each is an escape and a septet, which stay in one segment.
_GSM_7_ESCAPED = frozenset("\f^{}\\[~]|€")


def segments(text: str) -> int:
    """The number of segments that an operator bills for `text`; an empty text is one.

    A longer text loses room in each segment to the header that joins them: 160 septets become 153, and 70 UTF-16
    units 67. Neither an escaped character nor a surrogate pair is split.
    """
    if all(character in _GSM_7 or character in _GSM_7_ESCAPED for character in text):
        return _filled((2 if character in _GSM_7_ESCAPED else 1 for character in text), alone=160, joined=153)
    return _filled((2 if ord(character) > 0xFFFF else 1 for character in text), alone=70, joined=67)


def _filled(widths: Iterable[int], *, alone: int, joined: int) -> int:
    count, used, total = 1, 0, 0
    for width in widths:
        total += width
        if used + width > joined:
            count, used = count + 1, 0
        used += width
    return count if total > alone else 1
