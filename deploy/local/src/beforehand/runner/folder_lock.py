"""One installation at a time per data folder."""

import fcntl
import os
import time
from pathlib import Path

from beforehand.errors import AlreadyRunningError, DataFolderError

WAIT_FOR_REMAINS_S = 20.0


class FolderLock:
    """Held from acquire() until release(), and by whoever inherits `fd`.

    The janitor of the installation's processes inherits it: after a kill -9 the folder stays taken until the last of
    them has ended, and the next start waits for that.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "up.lock"
        self._fd: int | None = None

    @property
    def fd(self) -> int:
        assert self._fd is not None, "not acquired"
        return self._fd

    def acquire(self) -> None:
        """Raises AlreadyRunningError with the other's process id, or DataFolderError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataFolderError(
                f"{self._folder} can't be used as the data folder ({error.strerror}): "
                "mend its rights, or name another one with --data"
            ) from error
        try:
            self._wait_for(fd)
        except BaseException:
            os.close(fd)
            raise
        os.truncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._fd = fd

    def release(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _wait_for(self, fd: int) -> None:
        deadline = time.monotonic() + WAIT_FOR_REMAINS_S
        while not _try_lock(fd):
            holder = os.pread(fd, 20, 0).decode(errors="replace").strip()
            # An empty file is another start's that is about to write its id into it.
            if time.monotonic() > deadline or (holder.isdigit() and _lives(int(holder))):
                raise AlreadyRunningError(
                    f"Beforehand is running already in {self._folder} (process {holder or 'unknown'}): stop that one "
                    "with Ctrl-C, or name another data folder with --data"
                )
            time.sleep(0.1)


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
