"""Keys and secrets of a local installation: made at its first start, each in a file that its owner alone may read."""

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from beforehand.errors import DataFolderError


@dataclass(frozen=True, slots=True)
class Secrets:
    """Files, and the two keys that a caller has to know."""

    ingest_key: str
    ingest_key_file: Path
    ingest_keys_file: Path
    desk_key: str
    desk_key_file: Path
    sms_account_sid: str
    sms_auth_token_file: Path
    link_secret_file: Path

    def key(self, kind: str | None) -> str | None:
        """The key that a service asks of its callers (`contracts.service.Service.key`)."""
        return {"ingest": self.ingest_key, "desk": self.desk_key}[kind] if kind else None

    def key_file(self, kind: str | None) -> Path | None:
        return {"ingest": self.ingest_key_file, "desk": self.desk_key_file}[kind] if kind else None


def provide_secrets(folder: Path) -> Secrets:
    """Read what is in `folder` and make what is missing. Raises DataFolderError if it can't be read or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        ingest_key = _text(folder / "ingest.key", secrets.token_urlsafe(32))
        hashed = hashlib.sha256(ingest_key.encode()).hexdigest()
        grants = json.dumps([{"source": "*", "sha256": hashed, "types": ["*"]}])
        _text(folder / "ingest_keys.json", grants)
        desk_key = _text(folder / "desk.key", secrets.token_urlsafe(32))
        account_sid = _text(folder / "sms_account_sid", "AC" + secrets.token_hex(16))
        _text(folder / "sms_auth_token", secrets.token_hex(16))
        _text(folder / "link_secret", secrets.token_urlsafe(32))
    except (OSError, UnicodeDecodeError) as error:
        raise DataFolderError(
            f"the secrets in {folder} can't be read or written ({error}): mend the rights there, "
            "or remove a damaged file, and a new secret is made"
        ) from error
    return Secrets(
        ingest_key=ingest_key,
        ingest_key_file=folder / "ingest.key",
        ingest_keys_file=folder / "ingest_keys.json",
        desk_key=desk_key,
        desk_key_file=folder / "desk.key",
        sms_account_sid=account_sid,
        sms_auth_token_file=folder / "sms_auth_token",
        link_secret_file=folder / "link_secret",
    )


def write_private(path: Path, text: str) -> None:
    """Write a file (mode 600) at once: a reader sees the old text or the new, never half."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    unfinished.replace(path)


def _text(path: Path, if_missing: str) -> str:
    if not path.exists():
        write_private(path, if_missing + "\n")
    return path.read_text().strip()
