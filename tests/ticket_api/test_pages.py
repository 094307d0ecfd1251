"""The desk's pages as a browser gets them, without one."""

import re
import uuid
from datetime import UTC, datetime

import httpx
import pytest

KEY = "the-desk-key-of-these-tests"


@pytest.fixture
def browser(desk):
    """A client that keeps cookies, follows redirects and says of its forms where they come from, as browsers do."""
    with httpx.Client(
        base_url=desk.url, follow_redirects=True, timeout=10, headers={"Accept": "text/html"}
    ) as client:
        client.headers["Origin"] = desk.url
        yield client


@pytest.fixture
def signed_in(browser):
    assert browser.post("/login", data={"key": KEY, "next": "/"}).url.path == "/"
    return browser


def test_nobody_sees_a_page_before_signing_in(desk, browser, customer):
    asked = browser.get(f"/customers/{customer}?cursor=x")
    assert (asked.url.path, asked.url.params["next"]) == ("/login", f"/customers/{customer}?cursor=x")
    wrong = browser.post("/login", data={"key": "wrong"})
    assert (wrong.status_code, "not the desk's key" in wrong.text, wrong.cookies) == (401, True, {})
    right = httpx.post(
        f"{desk.url}/login", data={"key": KEY, "next": "//evil.example"}, headers={"Origin": desk.url}
    )
    assert (right.status_code, right.headers["location"]) == (303, "/")
    cookie = right.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert desk.api.get("/v1/tickets", headers={"Authorization": "", "Cookie": cookie}).status_code == 401


def test_a_form_from_another_page_is_refused(desk, signed_in, customer):
    form = {"customer": customer, "subject": "Help", "text": "Please.", "once": "1"}
    for headers in ({"Origin": "http://127.0.0.1:1"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
        for path in ("/tickets", "/login", "/logout"):
            refused = signed_in.post(path, data=form, headers=headers)
            assert (refused.status_code, "did not come from a page of the desk" in refused.text) == (
                403,
                True,
            )
    assert desk.api.get("/v1/tickets", params={"customer": customer}).json()["items"] == []


def test_a_ticket_is_opened_answered_closed_and_opened_again_by_forms(desk, signed_in, customer):
    page = signed_in.get(f"/customers/{customer}").text
    form = {
        "once": re.search(r'name="once" value="([^"]+)"', page)[1],
        "customer": customer,
        "by": "customer",
        "channel": "phone",
    }
    form |= {"subject": "<b>Help</b>", "text": "line 1\r\nline 2", "priority": "high", "queue": "support"}
    for _ in range(2):  # a double click
        page = signed_in.post("/tickets", data=form)
    [ticket] = desk.api.get("/v1/tickets", params={"customer": customer}).json()["items"]
    assert (page.url.path, page.url.fragment) == (f"/customers/{customer}", f"ticket-{ticket['number']}")
    assert "&lt;b&gt;Help&lt;/b&gt;" in page.text
    assert "<b>Help" not in page.text
    at = f"/tickets/{ticket['number']}"
    signed_in.post(at, data={"do": "reply", "by": "agent", "text": "Tomorrow.", "once": "2"})
    signed_in.post(at, data={"do": "close", "by": "agent", "text": "", "once": "3"})
    again = signed_in.post(
        at,
        data={
            "do": "reply",
            "by": "customer",
            "text": "It broke.",
            "once": "4",
            "back": "https://evil.example",
        },
    )
    assert again.url.path == "/"
    history = desk.api.get(f"/v1{at}").json()["history"]
    assert [(entry["what"], entry["text"]) for entry in history] == [
        ("opened", "line 1\nline 2"), ("replied", "Tomorrow."), ("closed", None), ("reopened", "It broke."),
    ]  # fmt: skip
    wrong = signed_in.post(at, data={"do": "reply", "by": "agent", "text": " ", "once": "5"})
    assert (wrong.status_code, "must not be blank" in wrong.text) == (422, True)


def test_the_page_tells_what_happened_in_words(house, desk, signed_in, customer, alert_id):
    at = datetime.now(UTC).replace(microsecond=0)
    house.profile(customer, name="Ada <Lovelace>", plan="pro", time_zone="Europe/Berlin")
    house.signal(
        customer,
        "payment.failed",
        {"order_id": "o1", "amount": 59.9, "currency": "EUR"},
        at=at,
        id_=f"e-{customer}",
    )
    house.transition(
        alert=alert_id,
        customer=customer,
        at=at,
        fired_at=at,
        evidence=[f"e-{customer}"],
        vars={"carrier": "DHL"},
    )
    house.message(
        customer,
        "suppressed",
        at=at,
        alert=alert_id,
        reason="the customer has opted out of billing",
        summary="Late",
    )
    desk.until(lambda: desk.items(customer, 2, None) and desk.items(customer, 1, "alert")[0]["messages"])
    desk.until(lambda: desk.timeline(customer)["customer"]["profile"])
    answer = signed_in.get(f"/customers/{customer}")
    page = re.sub(r"\s+", " ", answer.text)
    for words in (
        "Ada &lt;Lovelace&gt;", "One alert is still firing", "Still firing", "Today, ", "Payment failed", "59.90 EUR", "Order late",
        "DHL", "not sent", "the customer has opted out of billing", "order-late", f"#event-e-{customer}", "Europe/Berlin",
    ):  # fmt: skip
        assert words in page, words
    card = page[page.index('<article class="card alert') : page.index("</article>")]
    assert "opted out of billing" in card
    assert "http" not in re.sub(r"<time [^>]+>", "", page).replace('<html lang="en">', "")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    home = signed_in.get("/").text
    assert customer in home
    assert signed_in.get("/", params={"q": customer}).url.path == f"/customers/{customer}"
    assert f"/customers/{customer}" in signed_in.get("/", params={"q": "ada <love"}).text


def test_what_is_not_there_and_what_is_not_known_get_a_page_too(signed_in):
    missing = signed_in.get("/tickets/999999999")
    assert (missing.status_code, "There is no ticket" in missing.text) == (404, True)
    assert signed_in.get("/nowhere").status_code == 404
    assert "Nothing is known of this customer yet" in signed_in.get(f"/customers/{uuid.uuid4()}").text
    assert signed_in.post("/logout").url.path == "/login"
    assert signed_in.get("/").url.path == "/login"
