"""The broker's data folder: made once, and looked at before each start.

cluster.id        the id that this folder was formatted with
data/             Kafka's own, with its meta.properties
broker.properties, log4j2.properties, broker.log, broker.log.before    written anew at each start
"""

import base64
import fcntl
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

from beforehand.errors import DataFolderError
from beforehand.kafka.settings import NODE_ID, read_properties

Format = Callable[[str, Path], None]
"""Formats a folder (its path) as the storage of a new cluster (its id)."""


def lock(folder: Path) -> int:
    """A file descriptor for the broker to inherit: while any process has it open, no other broker gets one.

    Kafka has a lock of its own, but looks at it after its controller has begun to write. Makes the folder if need be.
    Raises DataFolderError if another has the lock, or if it can't be had.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise DataFolderError(
            f"{folder} is in use by another Kafka: stop that one, or name another folder with --data"
        ) from None
    return fd


def prepare(folder: Path, form: Format) -> Path:
    """The folder for Kafka's `log.dirs`, formatted if it is new. Raises DataFolderError if it can't be used."""
    data = folder / "data"
    try:
        if data.exists():
            _check(folder, data)
        else:
            _make(folder, data, form)
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(folder, error) from error
    return data


def _make(folder: Path, data: Path, form: Format) -> None:
    cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    forming = folder / "data.forming"
    shutil.rmtree(forming, ignore_errors=True)
    form(cluster_id, forming)
    (folder / "cluster.id").write_text(cluster_id + "\n")
    # Last, and at once: a start that is cut off before this formats again.
    forming.rename(data)


def _check(folder: Path, data: Path) -> None:
    meta_file = data / "meta.properties"
    if not meta_file.is_file():
        raise _broken(data, "has no meta.properties, so it is not what a broker left")
    meta = read_properties(meta_file.read_text())
    if not meta.get("cluster.id") or not meta.get("node.id"):
        raise _broken(data, "has a meta.properties that is damaged")
    id_file = folder / "cluster.id"
    expected = id_file.read_text().strip() if id_file.is_file() else None
    if meta["cluster.id"] != expected or meta["node.id"] != str(NODE_ID):
        raise _broken(
            data, f"belongs to another Kafka cluster ({meta['cluster.id']}, node {meta['node.id']})"
        )


def _unusable(folder: Path, error: OSError | UnicodeDecodeError) -> DataFolderError:
    reason = error.strerror if isinstance(error, OSError) else "a file in it is not text"
    return DataFolderError(
        f"{folder} can't be used for Kafka's data ({reason}): mend the folder's rights, or name another with --data"
    )


def _broken(data: Path, what: str) -> DataFolderError:
    return DataFolderError(
        f"{data} {what}: put back the right folder, or move it away to begin with empty topics, "
        "or name another data folder with --data"
    )
