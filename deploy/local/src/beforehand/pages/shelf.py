"""Received messages on disk, in the order they came; the newest `limit` are kept."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Kept:
    """One message: `document` is what GET /messages shows of it, `detail` what only its owner understands."""

    id: int
    document: dict[str, Any]
    detail: bytes


class Shelf:
    """A small SQLite file. Survives a killed process; a power cut may cost the last few messages."""

    def __init__(self, path: Path, *, limit: int = 10_000) -> None:
        """Raises OSError or sqlite3.Error if `path` cannot be used."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.limit = limit
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        # AUTOINCREMENT: an id is never given twice, so that a link to a deleted message shows no other.
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS kept"
            " (id INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL, detail BLOB NOT NULL)"
        )

    def add(self, document: dict[str, Any], detail: bytes = b"") -> int:
        """Keep a message and forget what is beyond the limit. It is on disk when this returns its id."""
        text = json.dumps(document, ensure_ascii=False)
        with closing(
            self._db.execute("INSERT INTO kept (document, detail) VALUES (?, ?)", (text, detail))
        ) as row:
            added = row.lastrowid
        assert added is not None
        self._db.execute("DELETE FROM kept WHERE id <= ?", (added - self.limit,))
        return added

    def change(self, message_id: int, detail: bytes) -> None:
        self._db.execute("UPDATE kept SET detail = ? WHERE id = ?", (detail, message_id))

    def get(self, message_id: int) -> Kept | None:
        with closing(
            self._db.execute("SELECT id, document, detail FROM kept WHERE id = ?", (message_id,))
        ) as rows:
            row = rows.fetchone()
        return Kept(row[0], json.loads(row[1]), row[2]) if row else None

    def all(self) -> Iterator[Kept]:
        """Every message, oldest first."""
        for row in self._db.execute("SELECT id, document, detail FROM kept ORDER BY id"):
            yield Kept(row[0], json.loads(row[1]), row[2])

    def documents_json(self) -> str:
        """The documents as one JSON list, oldest first; put together without parsing them."""
        rows = self._db.execute("SELECT document FROM kept ORDER BY id")
        return "[" + ",".join(document for (document,) in rows) + "]"

    def clear(self) -> None:
        self._db.execute("DELETE FROM kept")

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
