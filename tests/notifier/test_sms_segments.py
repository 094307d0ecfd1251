"""Segments as phones and providers count them; smsutil, by another author, is the oracle."""

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from notifier.sms_segments import BASIC, EXTENDED, encoding_of, plain, segments_of

gsm = st.text(alphabet=sorted(BASIC | EXTENDED), max_size=700)
anything = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300)


@given(st.one_of(gsm, anything))
def test_segments_are_as_smsutil_has_them(text):
    split = smsutil.split(text)
    assert segments_of(text) == max(1, len(split.parts))
    assert not text or encoding_of(text) == ("UCS-2" if split.encoding == "utf_16_be" else "GSM-7")


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3),
        ("a" * 152 + "€" + "a" * 152, 3),  # the escaped character does not fit into the first segment's last place
        ("ж" * 70, 1), ("ж" * 71, 2), ("😀" * 35, 1), ("😀" * 36, 2),
    ],
)  # fmt: skip
def test_the_borders(text, segments):
    assert segments_of(text) == segments


def test_typography_does_not_halve_the_room():
    assert plain("„Checkout“ – it’s us…\u00a0sorry") == '"Checkout" - it\'s us... sorry'
    assert encoding_of(plain("„Grüße“ – 59,90\u00a0€ …")) == "GSM-7"
