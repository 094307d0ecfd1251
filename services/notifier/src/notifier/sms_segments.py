"""How many segments a text message takes: what providers bill, and what phones put together again (3GPP TS 23.038).

A text of GSM-7 characters alone takes one segment of 160, or several of 153; any other is sent as UTF-16 in one of 70, or
several of 67. A character of the extension table takes two places, and a pair (in UTF-16, a surrogate pair) is never split
over two segments.
"""

from collections.abc import Iterable
from typing import Literal

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")

# what typesetting puts in and a phone does not miss: one of them would halve the room of the whole text
_PLAIN = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‹": "'", "›": "'",
    "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "…": "...", "•": "-", "\t": " ",
    "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200b": "", "\u00ad": "",
})  # fmt: skip

Encoding = Literal["GSM-7", "UCS-2"]


def encoding_of(text: str) -> Encoding:
    return "GSM-7" if all(c in BASIC or c in EXTENDED for c in text) else "UCS-2"


def segments_of(text: str) -> int:
    """The number of segments that this text takes as it stands; 1 for the empty one."""
    if encoding_of(text) == "GSM-7":
        return _packed((2 if c in EXTENDED else 1 for c in text), alone=160, joined=153)
    return _packed((2 if ord(c) > 0xFFFF else 1 for c in text), alone=70, joined=67)


def plain(text: str) -> str:
    """The text with typographic quotes, dashes and blanks as GSM-7 has them."""
    return text.translate(_PLAIN)


def _packed(widths: Iterable[int], *, alone: int, joined: int) -> int:
    widths = list(widths)
    if sum(widths) <= alone:
        return 1
    segments, used = 1, 0
    for width in widths:
        if used + width > joined:
            segments, used = segments + 1, 0
        used += width
    return segments
