"""A dead letter's headers say where it came from and why, and can be read again."""

from datetime import UTC, datetime

import pytest

from contracts.dead import DeadLetter

LETTER = DeadLetter(
    "signals", 3, 41, "/data/amount must be a number – ü", "rule_engine", datetime(2026, 1, 9, tzinfo=UTC)
)


def test_its_headers_can_be_read_again():
    assert DeadLetter.from_headers(LETTER.headers()) == LETTER


def test_headers_of_others_may_stand_beside_them():
    own = [("trace", b"1"), ("empty", None), ("reason", b"the record's own word")]
    assert DeadLetter.from_headers([*own, *LETTER.headers()]) == LETTER


@pytest.mark.parametrize("missing", [name for name, _ in LETTER.headers()])
def test_a_missing_header_is_named(missing):
    with pytest.raises(ValueError, match=missing):
        DeadLetter.from_headers([each for each in LETTER.headers() if each[0] != missing])
