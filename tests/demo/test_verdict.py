"""The verdict says what is missing, what is too much, what came too early and what is in no thread."""

from datetime import UTC, datetime, timedelta

import pytest

from beforehand.demo.report import summary
from beforehand.demo.story import Expected, Person, Scenario, Story
from beforehand.demo.verdict import is_complete, judge, received_of
from contracts.records import Profile

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
ANNA = Person("anna-1", "Anna", Profile(email="anna@example.com", phone="+447700900101"))
BEN = Person("ben-1", "Ben", Profile(email="ben@example.com"))


@pytest.fixture
def scenario():
    late = Expected("email", "anna@example.com", AT, ("K-1",))
    over = Expected("email", "anna@example.com", AT + timedelta(seconds=30), ("K-1",), answers=0)
    text = Expected("sms", "+447700900101", AT, ("K-1",))
    return Scenario([Story(ANNA, "order late", [], [late, over, text]), Story(BEN, "paid in time", [])])


def mail(to, subject, after_s, *, id_="", answers=""):
    headers = {"Message-ID": id_, "References": answers}
    at = (AT + timedelta(seconds=after_s)).isoformat()
    return {"to": to, "subject": subject, "text": "", "headers": headers, "at": at}


LATE = mail("anna@example.com", "K-1 is late", 2, id_="<1@kettle>")
OVER = mail("anna@example.com", "K-1 has arrived", 31, id_="<2@kettle>", answers="<1@kettle>")
TEXT = {"to": "+447700900101", "text": "K-1 is late", "at": (AT + timedelta(seconds=3)).isoformat()}


def differences(scenario, mails, texts):
    return [said for finding in judge(scenario, received_of(mails, texts)) for said in finding.differences]


def test_all_is_as_expected(scenario):
    findings = judge(scenario, received_of([LATE, OVER], [TEXT]))
    assert is_complete(findings)
    assert "Every expected message came (3), and no other" in summary(findings)


def test_what_is_missing_is_named(scenario):
    assert differences(scenario, [LATE], [TEXT]) == ["a mail to Anna that says “K-1” did not come"]
    assert not is_complete(judge(scenario, received_of([LATE], [TEXT])))


def test_what_is_too_much_is_named(scenario):
    twice = differences(scenario, [LATE, OVER, OVER, mail("ben@example.com", "K-2 failed", 1)], [TEXT])
    assert twice == [
        "a mail to Anna “K-1 has arrived” was not expected",
        "a mail to Ben “K-2 failed” was not expected",
    ]
    assert "2 not as expected" in summary(
        judge(scenario, received_of([LATE, OVER, OVER, mail("ben@example.com", "K-2", 1)], [TEXT]))
    )


def test_an_end_outside_its_thread_is_named(scenario):
    stray = {**OVER, "headers": {"Message-ID": "<2@kettle>"}}
    assert differences(scenario, [LATE, stray], [TEXT]) == [
        "a mail to Anna “K-1 has arrived” is not in the thread of “K-1 is late”"
    ]


def test_what_comes_too_early_is_named(scenario):
    early = {**LATE, "at": (AT - timedelta(seconds=5)).isoformat()}
    assert differences(scenario, [early, OVER], [TEXT]) == [
        "a mail to Anna “K-1 is late” came 5.0 s too early"
    ]


def test_what_others_got_is_not_judged(scenario):
    assert differences(scenario, [LATE, OVER, mail("somebody@example.com", "hello", 1)], [TEXT]) == []
