"""A browser, and the two programs whose pages it looks at."""

import re
import shutil
import subprocess
import sys

import pytest
from playwright.sync_api import sync_playwright

ACCOUNT_SID = "AC" + "0" * 32
AUTH_TOKEN = "a-token-of-this-test"


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium. Of module scope: while it is open, no other test can run an event loop."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "these tests need Chromium: apt-get install chromium"
    switches = "no-sandbox disable-gpu no-first-run disable-background-networking disable-component-update disable-sync"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=path, args=["--headless", *(f"--{switch}" for switch in switches.split())]
        )
        yield launched
        launched.close()


@pytest.fixture
def page(browser):
    """A page that fails the test if a script of ours does."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    broken = []
    opened.on("pageerror", lambda error: broken.append(str(error)))
    yield opened
    context.close()
    assert broken == []


@pytest.fixture
def start(tmp_path):
    """start(module, *options) runs a program of ours and gives the line that it prints when it listens."""
    running = []

    def run(module, *options):
        command = [sys.executable, "-m", module, "--http-port", "0", "--data", str(tmp_path), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return process.stdout.readline()

    yield run
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def inbox(start):
    """(address of the page, SMTP port)"""
    line = start("beforehand.inbox", "--smtp-port", "0")
    return re.search(r"page (\S+)", line)[1], int(re.search(r"smtp \S+:(\d+)", line)[1])


@pytest.fixture
def phone(start, tmp_path):
    """(address of the page, address for messages, credentials)"""
    token = tmp_path / "token"
    token.write_text(AUTH_TOKEN)
    line = start("beforehand.phone", "--account-sid", ACCOUNT_SID, "--auth-token-file", str(token))
    page = re.search(r"page (\S+)", line)[1]
    return page, f"{page}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json", (ACCOUNT_SID, AUTH_TOKEN)
