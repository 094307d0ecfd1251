"""What an agent sees and does at the desk, in a real browser."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import expect

from beforehand.ports import free_port
from contracts import alerts, envelope
from contracts.alerts import RuleWords, Transition
from contracts.envelope import event
from contracts.records import Message, Profile
from ticket_api import effects
from ticket_api.database import Database
from ticket_api.effects import Found
from ticket_api.facts import fact_of

KEY = "the-desk-key-of-these-tests"
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


def records(customer):
    """A late order, told by mail, and one that came after all: (topic, event)."""
    profile = Profile(name="Ada Lovelace", email="ada@example.com", time_zone="Europe/Berlin")
    yield (
        "customers",
        event(id="p", source="/shop", type="customer.updated", time=NOW, data=profile, customerid=customer),
    )
    placed = {"order_id": "o-1001", "total": 59.9, "currency": "EUR"}
    yield (
        "signals",
        event(
            id=f"{customer}-e1",
            source="/shop",
            type="order.placed",
            time=NOW - 50 * HOUR,
            data=placed,
            customerid=customer,
        ),
    )
    for number, over in ((1, False), (2, True)):
        told = Transition(
            alert=f"{customer}-a{number}", seq=1, rule="order-late", version="v1", state="firing", at=NOW - number * HOUR, evidence=[f"{customer}-e1"],
            fired_at=NOW - number * HOUR, key=f"o-100{number}", severity="warning", words=RuleWords("An order is late"), customer=customer,
        )  # fmt: skip
        yield "alerts", alerts.to_event(told)
        mail = Message(
            message=f"{customer}-m{number}", fate="delivered", at=NOW - number * HOUR, channel="email", recipient=customer, customer=customer,
            alert=told.alert, summary=f"Your order o-100{number} is late",
        )  # fmt: skip
        yield (
            "messages",
            event(
                id=f"{customer}-m{number}",
                source="/n",
                type="message.delivered",
                time=NOW,
                data=mail,
                customerid=customer,
            ),
        )
        if over:
            yield (
                "alerts",
                alerts.to_event(
                    Transition(
                        **{
                            **{f: getattr(told, f) for f in told.__struct_fields__},
                            "seq": 2,
                            "state": "resolved",
                            "how": "event",
                        }
                    )
                ),
            )


async def fill(url):
    database = Database(url)
    await database.migrate()
    for customer in ("c1", "c2", "c3"):
        for topic, told in records(customer):
            fact = fact_of(topic, customer.encode(), envelope.encode(told))
            async with database.writing() as session:
                await effects.apply(session, [Found(fact, NOW, 0)], NOW)
    await database.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Its address: a service that knows these records, and needs no Kafka to show them."""
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder}/desk.db"
    filling = threading.Thread(target=lambda: asyncio.run(fill(url)))  # the browser has this thread's loop
    filling.start()
    filling.join()
    port = free_port()
    (folder / "key").write_text(KEY)
    settings = {
        "KAFKA": "127.0.0.1:9",
        "HTTP_PORT": str(port),
        "DATABASE_URL": url,
        "DESK_KEY_FILE": str(folder / "key"),
        "LOG_LEVEL": "ERROR",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ticket_api"],
        env=os.environ | {f"BEFOREHAND_{k}": v for k, v in settings.items()},
    )
    address, end = f"http://127.0.0.1:{port}", time.monotonic() + 60
    while True:
        try:
            httpx.get(f"{address}/healthz")
            break
        except httpx.TransportError:
            assert time.monotonic() < end, "ticket_api does not start"
            time.sleep(0.05)
    yield address
    process.terminate()
    process.wait()


@pytest.fixture
def at(page, desk):
    """at(customer) is the customer's page, after signing in; each test has a customer of its own."""

    def sign_in(customer):
        page.goto(f"{desk}/customers/{customer}")
        page.get_by_label("Key of the desk").fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
        return page

    return sign_in


def test_the_alert_that_still_fires_stands_out_and_holds_its_messages(at):
    page = at("c1")
    firing = page.get_by_role("region", name="One alert is still firing")
    firing.get_by_role("link", name="An order is late").click()
    cards = page.get_by_role("article", name="An order is late")
    expect(cards).to_have_count(2)
    on, over = cards.nth(0), cards.nth(1)
    expect(on).to_contain_text("Still firing")
    expect(on).to_contain_text("“Your order o-1001 is late”")
    expect(over).to_contain_text("Resolved by an event")
    expect(over).to_contain_text("“Your order o-1002 is late”")
    expect(over).not_to_contain_text("o-1001 is late")
    edge = "card => getComputedStyle(card).borderTopColor"
    assert on.evaluate(edge) != over.evaluate(edge)
    on.get_by_text("Why: rule").click()
    on.get_by_role("link", name="Order placed").click()
    expect(page.locator(":target")).to_contain_text("59.90 EUR")


def test_a_ticket_goes_its_way_by_keyboard_and_forms(at):
    page = at("c2")
    page.get_by_role("link", name="Open a ticket about this").first.press("Enter")
    expect(page.get_by_text("About the alert “An order is late”")).to_be_visible()
    page.get_by_label("Subject").fill("Where is it?")
    page.get_by_label("Text").first.fill("She called and asks.")
    page.get_by_role("button", name="Open the ticket").press("Enter")
    ticket = page.get_by_role("article", name="#1 Where is it?")
    expect(ticket).to_contain_text("She called and asks.")
    expect(ticket).to_contain_text("Open: the desk's turn")
    ticket.get_by_text("Answer", exact=True).press("Enter")
    ticket.get_by_label("Text").fill("It comes tomorrow.")
    ticket.get_by_role("button", name="Send").press("Enter")
    expect(ticket).to_contain_text("Waiting for the customer")
    expect(page.get_by_role("article", name="An order is late").first).to_contain_text("#1 Where is it?")
    ticket.get_by_text("Answer", exact=True).click()
    ticket.get_by_role("button", name="Close").click()
    expect(ticket).to_contain_text("Closed")
    page.get_by_role("link", name="Beforehand desk").click()
    page.get_by_role("link", name="Closed").click()
    expect(page.get_by_role("link", name="#1 Where is it?")).to_be_visible()


def test_nothing_comes_from_elsewhere_and_it_fits_a_phone_in_the_dark(at, desk):
    page = at("c3")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 700})
    for path in ("/customers/c3", "/", "/tickets/7"):
        page.goto(desk + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert asked
    assert all(url.startswith(desk) for url in asked)
    brightness = "getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
    assert page.evaluate(brightness) < 120
