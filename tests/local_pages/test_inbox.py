"""The inbox as its users meet it: a mail program over SMTP, a browser and a test over HTTP."""

import signal
import smtplib
import socket
import subprocess
import sys
import time
from email.message import EmailMessage

import httpx
import pytest


def letter(to="anna@example.com", subject="Your card was declined", **headers):
    mail = EmailMessage()
    mail["From"] = "Kettle & Söhne <hello@kettle.example>"
    mail["To"] = to
    mail["Subject"] = subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Grüße,\nyour card was declined.\n")
    mail.add_alternative("<p>Grüße, your <b>card</b> was declined.</p>", subtype="html")
    return mail


def send(inbox, *mails):
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port, timeout=10) as smtp:
        for mail in mails:
            smtp.send_message(mail)


def test_a_mail_is_listed_with_all_that_it_says(inbox):
    send(
        inbox, letter(subject="Bestellung für Jürgen", References="<a@x> <b@x>"), letter(to="ben@example.com")
    )
    first, second = inbox.messages()
    assert set(first) == {"to", "from", "subject", "text", "html", "headers", "at"}
    assert first["to"] == "anna@example.com"
    assert first["from"] == "Kettle & Söhne <hello@kettle.example>"
    assert first["subject"] == "Bestellung für Jürgen"
    assert first["text"] == "Grüße,\nyour card was declined.\n"
    assert first["html"].strip() == "<p>Grüße, your <b>card</b> was declined.</p>"
    assert first["headers"]["References"] == "<a@x> <b@x>"
    assert second["to"] == "ben@example.com"
    assert second["at"] >= first["at"]


def test_a_mail_that_was_taken_survives_a_kill(start):
    inbox = start("inbox")
    send(inbox, letter())
    inbox.process.kill()
    inbox.process.wait()
    assert [mail["to"] for mail in start("inbox").messages()] == ["anna@example.com"]


def test_a_broken_mail_is_kept_and_shown(inbox):
    raw = b"Message-ID: <[broken\r\nContent-Type: text/plain; charset=no-such\r\nSubject: \xff\r\n\r\nhi \xff\r\n"
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port, timeout=10) as smtp:
        smtp.sendmail("a@example.com", ["b@example.com", "c@example.com"], raw)
    (mail,) = inbox.messages()
    assert mail["to"] == "b@example.com, c@example.com"
    assert mail["from"] == "a@example.com"
    assert httpx.get(f"{inbox.page}/threads/1").status_code == 200
    assert httpx.get(f"{inbox.page}/mails/1/raw").content.startswith(b"Message-ID: <[broken")


def test_it_rejects_as_told(inbox):
    inbox.behave(smtp="reject")
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(inbox, letter())
    assert refused.value.recipients["anna@example.com"][0] == 550
    inbox.behave(smtp="reject_temporarily")
    with pytest.raises(smtplib.SMTPDataError) as postponed:
        send(inbox, letter())
    assert postponed.value.smtp_code == 451
    assert inbox.messages() == []


def test_it_goes_down_and_comes_back_on_the_same_port(inbox):
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port, timeout=10) as opened:
        inbox.behave(smtp="down")
        with pytest.raises(ConnectionRefusedError):
            send(inbox, letter())
        with pytest.raises(smtplib.SMTPServerDisconnected):
            opened.noop()
    inbox.behave(smtp="accept")
    send(inbox, letter())
    assert len(inbox.messages()) == 1


def test_it_can_keep_a_mail_and_die_before_the_answer(inbox):
    inbox.behave(smtp="keep_and_drop")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(inbox, letter())
    assert len(inbox.messages()) == 1


def test_it_can_be_slow_to_answer(inbox):
    inbox.behave(smtp="slow", seconds=0.5)
    began = time.monotonic()
    send(inbox, letter())
    assert time.monotonic() - began >= 0.5


def test_an_unknown_behaviour_is_refused_and_nothing_changes(inbox):
    assert httpx.post(f"{inbox.page}/behaviour", json={"smtp": "explode"}).status_code == 422
    assert httpx.post(f"{inbox.page}/behaviour", json={"mode": "down"}).status_code == 422
    assert httpx.get(f"{inbox.page}/behaviour").json()["smtp"] == "accept"


def test_it_can_be_emptied(inbox):
    send(inbox, letter())
    assert httpx.delete(f"{inbox.page}/messages").status_code == 204
    assert inbox.messages() == []
    assert "No mail yet" in httpx.get(inbox.page).text


def test_an_answer_is_shown_in_the_thread_of_what_it_answers(inbox):
    send(
        inbox,
        letter(subject="The checkout is down", Message_ID="<1@kettle.example>"),
        letter(subject="Something else"),
        letter(subject="It is over", References="<1@kettle.example>", In_Reply_To="<1@kettle.example>"),
    )
    thread = httpx.get(f"{inbox.page}/threads/1").text
    pane = thread[thread.index('id="pane"') :]
    assert "The checkout is down" in pane
    assert "It is over" in pane
    assert "Something else" not in pane


def test_a_mail_s_html_may_do_nothing_but_look(inbox):
    send(inbox, letter())
    policy = httpx.get(f"{inbox.page}/mails/1/html").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-forms" not in policy


def test_a_page_elsewhere_cannot_read_it_under_a_name_of_its_own(inbox):
    assert httpx.get(f"{inbox.page}/messages", headers={"Host": "evil.example"}).status_code == 400


def test_sigterm_ends_it_while_a_page_is_open(inbox):
    with httpx.stream("GET", f"{inbox.page}/changes") as changes:
        assert next(changes.iter_lines()).startswith("data:")
        inbox.process.send_signal(signal.SIGTERM)
        assert inbox.process.wait(timeout=10) == 0


def test_a_taken_port_is_named_with_what_to_do(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "beforehand.inbox", "--http-port", "0", "--smtp-port", str(port)]
        ended = subprocess.run(
            [*command, "--data", str(tmp_path)], capture_output=True, text=True, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.strip() == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another port with --smtp-port"
    )
