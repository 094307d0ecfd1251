"""`python -m beforehand.phone`: wires the Twilio stand-in, the shelf and the page."""

import asyncio
import os
import socket
import sqlite3
import sys
from pathlib import Path

import click
import httpx

from beforehand.pages.changes import Changes
from beforehand.pages.serving import address, leave_on_signals, listen, serve
from beforehand.pages.shelf import Shelf
from beforehand.phone.exchange import Exchange
from beforehand.phone.http import phone_app


@click.command(name="beforehand.phone")
@click.option("--http-port", type=int, default=8406, show_default=True, help="Port; 0 takes a free one.")
@click.option("--account-sid", required=True, help="Twilio's account SID that senders name, as AC….")
@click.option(
    "--auth-token-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="File with the token that senders authenticate with and receipts are signed with.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to keep the texts in.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def main(http_port: int, account_sid: str, auth_token_file: Path, data: Path, host: str) -> None:
    """Receive text messages as Twilio does, keep the newest 10,000, and show them on a page.

    \b
    GET /            the page
    GET /messages    the texts as a JSON list, oldest first: to, from, text, at
    DELETE /messages empties the phone
    POST /behaviour  {"mode": "ok" | "slow" | "rate_limit" | "error_500" | "drop" | "keep_and_drop",
                      "receipts": "delivered" | "undelivered" | "reversed" | "none",
                      "unsubscribed": ["+49…"]}
    """  # noqa: D301 - click wants a real backspace
    leave_on_signals()
    os.umask(0o077)
    token = auth_token_file.read_text().strip()
    if not token:
        sys.exit(f"{auth_token_file} is empty; write the token that senders use into it")
    try:
        shelf = Shelf(data / "phone.sqlite3")
    except (OSError, sqlite3.Error) as error:
        sys.exit(f"cannot keep texts in {data}: {error}; name a folder that can be written to with --data")
    page = listen(host, http_port, option="--http-port")
    with shelf:
        asyncio.run(_run(shelf, host=host, page=page, account_sid=account_sid, token=token))


async def _run(shelf: Shelf, *, host: str, page: socket.socket, account_sid: str, token: str) -> None:
    changes = Changes()
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        exchange = Exchange(shelf, changes, client, account_sid=account_sid, auth_token=token)
        app = phone_app(exchange, shelf, host=host, auth_token=token, address=address(page), changes=changes)
        print(f"phone: page http://{address(page)}", flush=True)
        try:
            await serve(app, page, changes=changes)
        finally:
            await exchange.close()


if __name__ == "__main__":
    main()
