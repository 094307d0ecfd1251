import smsutil
from hypothesis import given
from hypothesis import strategies as st

from beforehand.phone.segments import segments

# Drawn so that escapes and surrogate pairs fall on the borders of segments.
TEXTS = st.text(st.sampled_from("ab @ü€{}~ç字😀"), max_size=400) | st.text(
    st.sampled_from("a€"), max_size=400
)


@given(TEXTS)
def test_segments_are_as_smsutil_counts_them(text):
    assert segments(text) == max(len(smsutil.split(text).parts), 1)


def test_an_escaped_character_is_not_split_over_two_segments():
    assert segments("a" * 152 + "€" + "a" * 152) == 3
    assert segments("a" * 153 + "€" + "a" * 151) == 2
    assert segments("a" * 158 + "€") == 1
