"""Timestamps and durations: what is read, what is written, what the clock in a zone shows."""

from datetime import UTC, datetime, timedelta

import pytest


def at(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-02T03:04:05Z", at(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02t03:04:05z", at(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05+02:00", at(2026, 1, 2, 1, 4, 5)),
        ("2026-01-02T03:04:05-00:00", at(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05.5-23:59", at(2026, 1, 3, 3, 3, 5, 500_000)),
        ("2026-01-02T03:04:05.123456789Z", at(2026, 1, 2, 3, 4, 5, 123_456)),
        ("2026-01-02T03:04:05.9999999Z", at(2026, 1, 2, 3, 4, 5, 999_999)),
        ("2016-12-31T23:59:60Z", at(2017, 1, 1)),
        ("0001-01-01T00:00:00Z", at(1, 1, 1)),
        ("9999-12-31T23:59:59.999999Z", at(9999, 12, 31, 23, 59, 59, 999_999)),
    ],
)
def test_timestamps_are_rfc_3339_in_utc_kept_to_the_microsecond(value_of, text, value):
    result = value_of("timestamp(data.t)", {"t": text})
    assert result == value
    assert result.utcoffset() == timedelta()


@pytest.mark.parametrize(
    "text",
    ["", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "2026-01-02T03:04Z", "2026-01-02T03:04:05.Z",
     "2026-01-02T03:04:05,5Z", "2026-01-02T24:00:00Z", "2026-02-30T00:00:00Z", "2026-01-02T03:04:61Z",
     "2026-01-02T03:04:05+0200", "2026-01-02T03:04:05+02", "2026-01-02T03:04:05+24:00", " 2026-01-02T03:04:05Z",
     "2026-01-02T03:04:05Z\n", "2026-1-2T03:04:05Z", "20260102T030405Z", "2026-W01-5T03:04:05Z", "٢٠٢٦-01-02T03:04:05Z"],
)  # fmt: skip
def test_what_is_no_rfc_3339_time_is_an_error(error_of, text):
    assert error_of("timestamp(data.t)", {"t": text}) == "timestamp: this string is no RFC 3339 time"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1h30m", timedelta(minutes=90)),
        ("1d12h", timedelta(hours=36)),
        ("1.5d", timedelta(hours=36)),
        ("1m1h", timedelta(minutes=61)),
        ("1s1s", timedelta(seconds=2)),
        ("-1h1m", -timedelta(minutes=61)),
        ("+1s", timedelta(seconds=1)),
        ("0", timedelta()),
        (".5s", timedelta(milliseconds=500)),
        ("5.s", timedelta(seconds=5)),
        ("1ms1us", timedelta(microseconds=1001)),
        ("1999ns", timedelta(microseconds=1)),
        ("-1999ns", -timedelta(microseconds=1)),
        ("600ns600ns", timedelta(microseconds=1)),
        ("315576000000s", timedelta(days=3_652_500)),
    ],
)
def test_durations_are_sums_of_numbers_with_units(value_of, text, value):
    assert value_of("duration(data.d)", {"d": text}) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "90",
        "s",
        ".s",
        "1 s",
        "1h 1m",
        "1H",
        "1w",
        "1µs",
        "1e3s",
        "inf",
        "1h-1m",
        "1s\n",
        "١s",
        "9" * 300 + "s",
    ],
)
def test_what_is_no_duration_is_an_error(error_of, text):
    assert error_of("duration(data.d)", {"d": text}) == "duration: this string is no duration like 1h30m"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("now + duration('90m')", at(2026, 1, 3, 13, 30)),
        ("duration('1d') + now", at(2026, 1, 4, 12)),
        ("now - duration('1s')", at(2026, 1, 3, 11, 59, 59)),
        ("now - timestamp('2026-01-01T00:00:00Z')", timedelta(days=2.5)),
        ("timestamp(0) - timestamp(1)", -timedelta(seconds=1)),
        ("duration('1h') - duration('90m')", -timedelta(minutes=30)),
        ("duration('1h') + duration('90m')", timedelta(minutes=150)),
        ("now > timestamp('2026-01-03T12:00:00+01:00')", True),
        ("now == timestamp('2026-01-03T13:00:00+01:00')", True),
        ("now >= now && now <= now", True),
        ("duration('60s') == duration('1m')", True),
        ("duration('1s') < duration('2s')", True),
        ("now - timestamp(data.t) > duration('48h')", True),
        ("timestamp(now) == now", True),
        ("duration(duration('1s')) == duration('1s')", True),
        ("timestamp(1767441600) == now", True),
        ("int(now)", 1_767_441_600),
        ("int(timestamp('1969-12-31T23:59:59.5Z'))", -1),
        # written in UTC, with no, three or six digits
        ("string(timestamp('2026-01-01T00:00:00+02:00'))", "2025-12-31T22:00:00Z"),
        ("string(timestamp('2026-01-01T00:00:00.5Z'))", "2026-01-01T00:00:00.500Z"),
        ("string(timestamp('2026-01-01T00:00:00.000001Z'))", "2026-01-01T00:00:00.000001Z"),
        ("string(timestamp('0001-01-01T00:00:00Z'))", "0001-01-01T00:00:00Z"),
        ("string(duration('1h30m'))", "5400s"),
        ("string(duration('-1.5s'))", "-1.500s"),
        ("string(duration('1us'))", "0.000001s"),
        ("string(duration('0'))", "0s"),
        # the parts
        ("timestamp('2009-02-13T23:31:30.123Z').getFullYear()", 2009),
        ("timestamp('2009-02-13T23:31:30.123Z').getMonth()", 1),
        ("timestamp('2009-02-13T23:31:30.123Z').getDate()", 13),
        ("timestamp('2009-02-13T23:31:30.123Z').getDayOfMonth()", 12),
        ("timestamp('2009-02-13T23:31:30.123Z').getDayOfWeek()", 5),
        ("timestamp('2009-02-15T23:31:30.123Z').getDayOfWeek()", 0),
        ("timestamp('2009-02-13T23:31:30.123Z').getDayOfYear()", 43),
        ("timestamp('2009-02-13T23:31:30.123Z').getHours()", 23),
        ("timestamp('2009-02-13T23:31:30.123Z').getMinutes()", 31),
        ("timestamp('2009-02-13T23:31:30.123Z').getSeconds()", 30),
        ("timestamp('2009-02-13T23:31:30.123Z').getMilliseconds()", 123),
        ("timestamp('2009-02-13T23:31:30Z').getHours('Europe/Berlin')", 0),
        ("timestamp('2009-02-13T23:31:30Z').getDate('Europe/Berlin')", 14),
        ("timestamp('2009-07-13T23:31:30Z').getHours('Europe/Berlin')", 1),
        ("timestamp('2009-02-13T23:31:30Z').getMinutes('Asia/Kathmandu')", 16),
        ("timestamp('2009-02-13T23:31:30Z').getHours('02:00')", 1),
        ("timestamp('2009-02-13T23:31:30Z').getHours('-02:30')", 21),
        ("timestamp('2009-02-13T23:31:30Z').getHours('UTC')", 23),
        ("timestamp('2009-02-13T23:31:30Z').getHours('')", 23),
        ("duration('3730.5s').getHours()", 1),
        ("duration('3730.5s').getMinutes()", 62),
        ("duration('3730.5s').getSeconds()", 3730),
        ("duration('3730.5s').getMilliseconds()", 500),
        ("duration('-3730.5s').getHours()", -1),
        ("duration('-3730.5s').getMilliseconds()", -500),
    ],
)
def test_value(value_of, source, value):
    result = value_of(source, {"t": "2026-01-01T00:00:00Z"})
    assert (type(result), result) == (type(value), value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("timestamp(0) + timestamp(0)", "no such overload: timestamp + timestamp"),
        ("duration('1s') - now", "no such overload: duration - timestamp"),
        ("duration('1s') * 2", "no such overload: duration * int"),
        ("duration('1s') + 1", "no such overload: duration + int"),
        ("-duration('1s')", "no such overload: -duration"),
        ("timestamp(1.5)", "no such overload: timestamp(double)"),
        ("timestamp(null)", "no such overload: timestamp(null)"),
        ("timestamp(data.x)", "no such key: x"),
        ("duration(90)", "no such overload: duration(int)"),
        ("int(duration('1s'))", "no such overload: int(duration)"),
        ("timestamp(253402300800)", "timestamp out of range"),
        ("timestamp(-62135596801)", "timestamp out of range"),
        ("timestamp(9223372036854775807)", "timestamp out of range"),
        ("timestamp('0001-01-01T00:00:00+01:00')", "timestamp out of range"),
        ("timestamp('9999-12-31T23:59:60Z')", "timestamp out of range"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "timestamp out of range"),
        ("timestamp('0001-01-01T00:00:00Z').getHours('-01:00')", "timestamp out of range"),
        ("duration('315576000001s')", "duration out of range"),
        ("timestamp('9999-12-31T23:59:59Z') - timestamp(0)", "duration out of range"),
        ("duration('9223372036s') + duration('1s')", "duration out of range"),
        ("now.getHours('Nowhere/There')", "getHours: this string is no time zone"),
        ("now.getHours('../etc/passwd')", "getHours: this string is no time zone"),
        ("now.getHours('+24:00')", "getHours: this string is no time zone"),
        ("now.getHours(2)", "no such overload: timestamp.getHours(int)"),
        ("duration('1h').getHours('UTC')", "no such overload: duration.getHours(string)"),
        ("duration('1h').getFullYear()", "no such overload: duration.getFullYear()"),
        ("'2026'.getFullYear()", "no such overload: string.getFullYear()"),
    ],
)
def test_error(error_of, source, message):
    assert error_of(source) == message
