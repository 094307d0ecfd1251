"""What a person sees of the inbox and the phone."""

import smtplib
from email.message import EmailMessage

import httpx
from playwright.sync_api import expect

HTML = """<p>Your order is late.</p><p id="scripted">no</p><img src="https://tracker.example/pixel.gif">
<script>document.getElementById("scripted").textContent = "yes"</script>"""


def send(port, subject, *, html=None):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "hello@kettle.example", "anna@example.com", subject
    mail.set_content(f"{subject}, in plain words.")
    if html:
        mail.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
        smtp.send_message(mail)


def no_wider_than_the_window(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_mails_appear_on_the_open_page_and_are_read_by_keyboard(page, inbox):
    address, smtp = inbox
    page.goto(address)
    expect(page.get_by_role("heading", name="No mail yet")).to_be_visible()
    send(smtp, "An older one")
    send(smtp, "The newest one")
    expect(page.get_by_role("heading", name="The newest one")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="An older one")).to_be_visible()
    send(smtp, "One more")
    expect(page.get_by_role("link", name="One more")).to_be_visible()
    expect(page.get_by_role("heading", name="An older one")).to_be_visible()


def test_a_mail_is_shown_without_its_scripts_and_remote_pictures(page, inbox):
    address, smtp = inbox
    asked = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    send(smtp, "Late", html=HTML)
    page.goto(address)
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Your order is late.")).to_be_visible()
    expect(frame.locator("#scripted")).to_have_text("no")
    expect(page.get_by_text("Remote content of this mail is blocked.")).to_be_visible()
    expect(page.get_by_text("Late, in plain words.").last).to_be_hidden()
    page.get_by_text("Text version").click()
    expect(page.get_by_text("Late, in plain words.").last).to_be_visible()
    assert all(url.startswith(address) for url in asked)


def test_a_narrow_window_shows_the_list_or_the_mail(page, inbox):
    address, smtp = inbox
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto(address)
    assert no_wider_than_the_window(page)
    send(smtp, "A subject that is much longer than what a narrow window has room for in one line", html=HTML)
    page.get_by_role("link", name="A subject").click()
    expect(page.get_by_role("heading", name="A subject")).to_be_visible()
    expect(page.locator("#list")).to_be_hidden()
    assert no_wider_than_the_window(page)
    page.get_by_role("link", name="All mails").click()
    expect(page.locator("#list")).to_be_visible()
    expect(page.locator("#pane")).to_be_hidden()


def test_the_page_is_dark_where_the_reader_s_is(page, inbox):
    address, _ = inbox
    background = "getComputedStyle(document.documentElement).backgroundColor"
    page.emulate_media(color_scheme="light")
    page.goto(address)
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(background) != light


def test_texts_appear_in_the_conversation_of_their_number(page, phone):
    address, messages, credentials = phone
    page.goto(address)
    expect(page.get_by_role("heading", name="No text yet")).to_be_visible()
    for to, body in [("+4915112345678", "Your card was declined."), ("+447700900123", "Your order is late.")]:
        httpx.post(
            messages, data={"To": to, "From": "+15005550006", "Body": body}, auth=credentials
        ).raise_for_status()
    expect(page.get_by_role("heading", name="+447700900123")).to_be_visible()
    expect(page.locator("#pane").get_by_text("delivered")).to_be_visible()
    page.get_by_role("link", name="+4915112345678").click()
    expect(page.locator("#pane").get_by_text("Your card was declined.")).to_be_visible()
    expect(page.locator("#pane").get_by_text("Your order is late.")).to_be_hidden()
