"""Wrong settings end the service at once, with what is wrong and how to mend it."""

import socket
import sys

import pytest

from ticket_api.__main__ import main


@pytest.fixture
def start(monkeypatch, capsys):
    """start(*arguments, **settings) gives the exit code and what was printed."""

    def run(*arguments, **settings):
        monkeypatch.setattr(sys, "argv", ["ticket_api", *arguments])
        for name, value in settings.items():
            monkeypatch.setenv(f"BEFOREHAND_{name}", value)
        code = main()
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


@pytest.mark.parametrize(
    "content", [None, "short-secret", "schlüssel" * 4], ids=["missing", "short", "not ASCII"]
)
def test_a_key_that_is_none(start, tmp_path, content):
    file = tmp_path / "desk.key"
    if content is not None:
        file.write_text(content)
    code, printed = start(DESK_KEY_FILE=str(file))
    assert (code, str(file) in printed, "BEFOREHAND_DESK_KEY_FILE" in printed) == (2, True, True)
    assert "secret" not in printed


def test_a_setting_of_the_wrong_kind(start):
    code, printed = start(HTTP_PORT="many")
    assert (code, "BEFOREHAND_HTTP_PORT" in printed, "--help" in printed) == (2, True, True)


def test_a_port_that_is_taken(start, tmp_path):
    (tmp_path / "desk.key").write_text("the-desk-key-of-these-tests")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, printed = start(DESK_KEY_FILE=str(tmp_path / "desk.key"), HTTP_PORT=port)
    assert (code, f"127.0.0.1:{port} can't be listened on" in printed) == (2, True)


def test_help_lists_the_settings(start):
    code, printed = start("--help")
    assert (code, "BEFOREHAND_DATABASE_URL" in printed) == (0, True)
