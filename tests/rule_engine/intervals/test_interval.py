"""Intervals of the page, written as a rule file has them; times as clocks there show them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rule_engine.intervals import IntervalError, NothingInsideError, TooFarError
from rule_engine.rules.load import intervals_of

BERLIN = "Europe/Berlin"
WAREHOUSE = '{location: Europe/Berlin, times: "mon-fri 08:00-18:00; sat 09:00-13:00", holidays: DE-BE}'
HOUR_US = 3_600_000_000


def interval(words):
    [named] = intervals_of(f"time_intervals: {{it: {words}}}", "f.yaml")
    assert named.interval is not None
    return named.interval


def at(text, zone=BERLIN, fold=0):
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(moment.astimezone(UTC).timestamp()) * 1_000_000


def clock(us, zone=BERLIN):
    return f"{datetime.fromtimestamp(us / 1_000_000, ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"


def test_the_start_is_included_the_end_excluded():
    warehouse = interval(WAREHOUSE)
    opening, closing = at("2026-01-05 08:00"), at("2026-01-05 18:00")
    assert [warehouse.inside(opening + n) for n in (-1, 0, 1)] == [False, True, True]
    assert [warehouse.inside(closing + n) for n in (-1, 0, 1)] == [True, False, False]


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-01-05 08:00", 10, "Mon 2026-01-05 18:00"),  # fits exactly: over at closing, not at the next opening
        ("2026-01-02 17:00", 2, "Sat 2026-01-03 10:00"),
        ("2026-01-03 12:00", 2, "Mon 2026-01-05 09:00"),
        ("2026-01-04 12:00", 0, "Sun 2026-01-04 12:00"),  # no time at all is over at once
        ("2026-01-04 12:00", 10, "Mon 2026-01-05 18:00"),
        ("2026-04-02 17:00", 2, "Sat 2026-04-04 10:00"),  # Good Friday
        ("2026-04-04 12:30", 1, "Tue 2026-04-07 08:30"),  # Easter Monday
        ("2026-12-24 08:00", 50, "Thu 2026-12-31 18:00"),  # Berlin has no holiday on 24 and 31 December
        ("2026-03-07 12:00", 1, "Sat 2026-03-07 13:00"),
    ],
)  # fmt: skip
def test_time_inside_passes_while_it_is_open(start, hours, end):
    assert clock(interval(WAREHOUSE).add(at(start), hours * HOUR_US)) == end


def test_a_microsecond_more_is_over_at_the_next_opening():
    warehouse = interval(WAREHOUSE)
    assert (
        warehouse.add(at("2026-01-05 08:00"), 10 * HOUR_US + 1) == at("2026-01-06 08:00") + 1
    )  # no holiday in Berlin


def test_a_skipped_hour_holds_nothing_a_repeated_one_counts_twice():
    night = interval('{location: Europe/Berlin, times: "01:00-04:00"}')
    assert night.between(at("2026-03-29 00:00"), at("2026-03-29 12:00")) == 2 * HOUR_US
    assert night.between(at("2026-10-25 00:00"), at("2026-10-25 12:00")) == 4 * HOUR_US
    assert clock(night.add(at("2026-03-29 00:00"), 2 * HOUR_US)) == "Sun 2026-03-29 04:00"
    repeated = interval('{location: Europe/Berlin, times: "02:15-02:45"}')
    assert repeated.inside(at("2026-10-25 02:30")) and repeated.inside(at("2026-10-25 02:30", fold=1))  # noqa: PT018
    skipped = interval('{location: Europe/Berlin, times: "02:00-03:00"}')
    assert clock(skipped.add(at("2026-03-29 00:00"), HOUR_US)) == "Mon 2026-03-30 03:00"


def test_a_range_that_runs_into_the_next_day_belongs_to_the_day_it_starts():
    shift = interval('{location: Europe/Berlin, times: "fri 22:00-06:00", holidays: 2026-05-01}')
    assert shift.inside(at("2026-05-09 05:59"))
    assert not shift.inside(at("2026-05-09 06:00"))
    assert not shift.inside(at("2026-05-08 05:00"))  # no Thursday's
    assert not shift.inside(at("2026-05-02 01:00"))  # Friday was a holiday, Saturday is none
    kept = interval('{times: "fri 22:00-06:00", holidays: 2026-05-09}')
    assert kept.inside(at("2026-05-09 05:00", "UTC"))
    whole = interval('{times: "mon 09:00-09:00"}')
    assert whole.between(at("2026-05-04 00:00", "UTC"), at("2026-05-06 00:00", "UTC")) == 24 * HOUR_US


def test_days_may_wrap_and_rules_add_up():
    weekend = interval('{times: ["fri-mon", "wed 09:00-12:00,11:00-13:00"]}')
    inside = [
        day for day in range(1, 8) if weekend.inside(at(f"2026-06-0{day} 12:30", "UTC"))
    ]  # the 1st is a Monday
    assert inside == [1, 3, 5, 6, 7]
    assert interval('{times: "mon-sun"}') == interval('{times: "00:00-24:00"}')


def test_dates_go_before_holidays_before_times():
    words = """{location: Europe/Berlin, times: 09:00-17:00, holidays: [DE, 12-31, 2026-07-01/2026-07-03], dates: {
        2026-12-25: 10:00-12:00, 12-25: 11:00-12:00, 2026-12-20/2026-12-28: closed, 2026-07-02: 09:00-10:00}}"""
    shop = interval(words)

    def hours(day):
        return shop.between(at(f"{day} 00:00"), at(f"{day} 23:59")) / HOUR_US

    assert hours("2026-12-25") == 2  # the full date
    assert hours("2026-12-21") == 0  # the span, a Monday
    assert hours("2027-12-25") == 1  # the yearly date, a holiday
    assert hours("2026-10-03") == 0  # a holiday
    assert hours("2026-12-31") == 0
    assert (hours("2026-07-01"), hours("2026-07-02"), hours("2026-07-04")) == (0, 1, 8)


def test_holidays_have_their_observed_days():
    office = interval('{location: America/New_York, times: "mon-fri 09:00-17:00", holidays: US}')
    new_york = "America/New_York"
    assert not office.inside(at("2026-07-03 12:00", new_york))  # the 4th is a Saturday
    assert not office.inside(at("2027-12-31 12:00", new_york))  # New Year's Day of 2028
    assert office.inside(at("2026-07-06 12:00", new_york))


def test_the_customers_zone_is_the_profiles():
    day = interval('{location: customer, times: "09:00-17:00"}')
    noon = at("2026-06-01 12:00", "Asia/Tokyo")
    assert day.inside(noon, "Asia/Tokyo")
    assert not day.inside(noon, "America/New_York")
    for unknown in (None, "", "Mars/Olympus"):
        assert not day.inside(noon, unknown)
        assert day.inside(at("2026-06-01 12:00", "UTC"), unknown)
    tokyo = day.add_working_days(at("2026-06-01 20:00", "Asia/Tokyo"), 1, "Asia/Tokyo")
    assert clock(tokyo, "Asia/Tokyo") == "Wed 2026-06-03 09:00"


@pytest.mark.parametrize(
    ("start", "days", "later", "earlier"),
    [
        ("2026-06-03 10:30", 2, "Fri 2026-06-05 10:30", "Mon 2026-06-01 10:30"),
        ("2026-06-05 10:30", 2, "Mon 2026-06-08 10:30", "Wed 2026-06-03 10:30"),  # Saturday is one
        ("2026-06-05 20:00", 1, "Mon 2026-06-08 08:00", "Thu 2026-06-04 18:00"),
        ("2026-06-07 12:00", 1, "Mon 2026-06-08 12:00", "Sat 2026-06-06 12:00"),
        ("2026-06-08 05:00", 1, "Tue 2026-06-09 08:00", "Fri 2026-06-05 18:00"),
        ("2026-04-02 10:30", 1, "Sat 2026-04-04 10:30", "Wed 2026-04-01 10:30"),  # Good Friday
        ("2026-06-03 10:30", 0, "Wed 2026-06-03 10:30", "Wed 2026-06-03 10:30"),
    ],
)
def test_working_days_are_later_days_with_any_time_inside(start, days, later, earlier):
    warehouse = interval(WAREHOUSE)
    assert clock(warehouse.add_working_days(at(start), days)) == later
    assert clock(warehouse.subtract_working_days(at(start), days)) == earlier


def test_a_working_day_has_ranges_that_begin_on_it():
    shift = interval('{location: Europe/Berlin, times: "mon-fri 22:00-06:00"}')
    assert clock(shift.add_working_days(at("2026-06-05 23:00"), 1)) == "Mon 2026-06-08 23:00"


def test_a_time_of_day_that_the_clock_skips_is_when_it_does_so():
    always = interval("{location: Europe/Berlin, times: 00:00-24:00}")
    assert clock(always.add_working_days(at("2026-03-28 02:30"), 1)) == "Sun 2026-03-29 03:00"
    assert always.add_working_days(at("2026-10-24 02:30"), 1) == at("2026-10-25 02:30", fold=0)


def test_what_has_no_answer_is_an_error():
    warehouse = interval(WAREHOUSE)
    for far in (-(10**17), 10**18, 10**30):
        for ask in (
            warehouse.inside,
            lambda us: warehouse.add(us, 1),
            lambda us: warehouse.add_working_days(us, 1),
        ):
            with pytest.raises(TooFarError):
                ask(far)
    with pytest.raises(TooFarError):
        warehouse.add(0, 10**16)
    closed = interval("{times: mon, holidays: 2030-01-01/2039-01-01}")
    assert clock(closed.add(at("2029-12-31 12:00", "UTC"), 13 * HOUR_US), "UTC") == "Mon 2039-01-03 01:00"
    assert issubclass(NothingInsideError, IntervalError)


def test_it_is_written_as_a_rule_file_has_it():
    words = """{location: Europe/Berlin, times: ["tue, mon 22:00-06:00; sat", "mon 05:00-23:00"], holidays: [2026-12-24/2027-01-01, DE-BY, 12-24],
      dates: {12-31: closed, 2026-12-30: "09:00-12:00, 11:00-13:00"}}"""
    it = interval(words)
    assert it.written() == {
        "location": "Europe/Berlin",
        "times": "mon 05:00-06:00,06:00-06:00; tue 22:00-06:00; sat 00:00-24:00",
        "holidays": ["DE-BY", "12-24", "2026-12-24/2027-01-01"],
        "dates": {"12-31": "closed", "2026-12-30": "09:00-13:00"},
    }
    again = interval(str(it.written()).replace("'", '"'))
    assert again == it
    assert hash(again) == hash(it)


def test_a_question_takes_microseconds():
    """A table of minutes, or a walk over days, would take a hundred times as long."""
    from time import perf_counter

    warehouse = interval(WAREHOUSE)
    start = at("2026-01-05 08:00")
    warehouse.add(start, 100 * HOUR_US)
    began = perf_counter()
    for n in range(20_000):
        warehouse.inside(start + n)
        warehouse.add(start + n, 40 * HOUR_US)
    assert perf_counter() - began < 1
