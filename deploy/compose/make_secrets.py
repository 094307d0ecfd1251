# ruff: noqa: INP001 - a program of its own
"""Keys and secrets of the compose installation: what is missing in /data/secrets is made, as `beforehand up` makes it, and
each container gets copies of what it needs, readable by its user alone.

/data is the data folder (./var); it belongs to whoever owns the checkout. /handed is the volume of the copies, with a
folder for each container. Runs as root, since these files have several owners.
"""

import os
import secrets
import sys
from pathlib import Path

from beforehand.errors import RunnerError
from beforehand.runner.secrets import provide_secrets, write_private

ORIGINALS = Path("/data/secrets")
HANDED = Path("/handed")
CHECKOUT = Path("/owner")

SERVICE, POSTGRES = 10001, 999  # the users in our images, and in PostgreSQL's
DATABASES = ("notifier", "ticket_api")
PASSWORDS = ("postgres_password", *(f"{database}_password" for database in DATABASES))
NEEDS = {  # what is not there, such as a password for a mail server that asks for none, is left out
    "signal-ingest": (SERVICE, ("ingest_keys.json",)),
    "notifier": (SERVICE, ("link_secret", "sms_auth_token", "smtp_password", "notifier.pgpass")),
    "ticket-api": (SERVICE, ("desk.key", "ticket_api.pgpass")),
    "postgres": (POSTGRES, PASSWORDS),
}


def main() -> None:
    try:
        provide_secrets(ORIGINALS)
    except RunnerError as error:
        sys.exit(str(error))
    for name in PASSWORDS:
        if not (ORIGINALS / name).exists():
            write_private(ORIGINALS / name, secrets.token_urlsafe(32) + "\n")
    owner = CHECKOUT.stat()
    for path in (ORIGINALS.parent, ORIGINALS, *ORIGINALS.iterdir()):
        os.chown(path, owner.st_uid, owner.st_gid)
    texts = {path.name: path.read_text() for path in ORIGINALS.iterdir()}
    for database in DATABASES:
        password = texts[f"{database}_password"].strip()
        texts[f"{database}.pgpass"] = f"postgres:5432:{database}:{database}:{password}\n"
    for container, (user, names) in NEEDS.items():
        hand(HANDED / container, user, {name: texts[name] for name in names if name in texts})
    print("each container has its secrets")


def hand(folder: Path, user: int, texts: dict[str, str]) -> None:
    """The folder holds these files afterwards and no others."""
    folder.mkdir(exist_ok=True)
    for left in {path.name for path in folder.iterdir()} - set(texts):
        (folder / left).unlink()
    for name, text in texts.items():
        write_private(folder / name, text)
        os.chown(folder / name, user, user)
    os.chown(folder, user, user)
    folder.chmod(0o500)


if __name__ == "__main__":
    main()
