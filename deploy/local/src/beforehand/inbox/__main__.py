"""`python -m beforehand.inbox`: wires the SMTP server, the shelf and the page."""

import asyncio
import os
import socket
import sqlite3
import sys
from pathlib import Path

import click

from beforehand.inbox.http import Inbox, inbox_app
from beforehand.inbox.smtp import MailServer
from beforehand.pages.changes import Changes
from beforehand.pages.serving import address, leave_on_signals, listen, serve
from beforehand.pages.shelf import Shelf


@click.command(name="beforehand.inbox")
@click.option(
    "--http-port", type=int, default=8405, show_default=True, help="Port of the page; 0 takes a free one."
)
@click.option(
    "--smtp-port", type=int, default=1025, show_default=True, help="Port for mails; 0 takes a free one."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to keep the mails in.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that both ports listen on.")
def main(http_port: int, smtp_port: int, data: Path, host: str) -> None:
    """Receive mails by SMTP, keep the newest 10,000, and show them on a page.

    \b
    GET /            the page
    GET /messages    the mails as a JSON list, oldest first: to, from, subject, text, html, headers, at
    DELETE /messages empties the inbox
    POST /behaviour  {"smtp": "accept" | "slow" | "reject_temporarily" | "reject" | "keep_and_drop" | "down"}
    """  # noqa: D301 - click wants a real backspace
    leave_on_signals()
    os.umask(0o077)
    try:
        shelf = Shelf(data / "inbox.sqlite3")
    except (OSError, sqlite3.Error) as error:
        sys.exit(f"cannot keep mails in {data}: {error}; name a folder that can be written to with --data")
    page = listen(host, http_port, option="--http-port")
    smtp = listen(host, smtp_port, option="--smtp-port")
    with shelf:
        asyncio.run(_run(shelf, host=host, page=page, smtp=smtp))


async def _run(shelf: Shelf, *, host: str, page: socket.socket, smtp: socket.socket) -> None:
    changes = Changes()
    inbox = Inbox(shelf, changes)
    server = MailServer(smtp, inbox.keep)
    await server.start()
    print(f"inbox: page http://{address(page)} smtp {address(smtp)}", flush=True)
    await serve(
        inbox_app(inbox, server, host=host, smtp_address=address(smtp), changes=changes),
        page,
        changes=changes,
    )


if __name__ == "__main__":
    main()
