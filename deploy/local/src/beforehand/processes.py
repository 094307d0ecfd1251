"""Child processes that never outlive the process that started them."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

JANITOR = Path(__file__).with_name("janitor.py")


class ProcessGroup:
    """Starts processes in one process group of their own, and ends them all when this process ends.

    When this process dies without a word, the group's janitor (janitor.py) sends them SIGTERM, and SIGKILL
    `janitor.GRACE_S` seconds later. A Ctrl-C on the terminal does not reach them: whoever holds the group stops them
    in an order of its own. `held` are file descriptors (a lock's, say) that stay open, and `remove` are files that are
    gone, when the last of them has ended.
    """

    def __init__(self, held: tuple[int, ...] = (), remove: tuple[Path, ...] = ()) -> None:
        parent_end, self._parent = os.pipe()
        life_end, self._life = os.pipe()
        self._janitor = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                str(JANITOR),
                str(parent_end),
                str(life_end),
                *(str(path.resolve()) for path in remove),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
            pass_fds=(parent_end, life_end, *held),
        )
        os.close(parent_end)
        os.close(life_end)
        self._closed = False

    def start(
        self,
        command: list[str],
        *,
        env: dict[str, str] | None = None,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        keeps: tuple[int, ...] = (),
    ) -> subprocess.Popen[bytes]:
        """`keeps` are file descriptors that it inherits. Raises OSError if the command can't be run."""
        return subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            process_group=self._janitor.pid,
            pass_fds=(self._life, *keeps),
        )

    def kill(self) -> None:
        """SIGKILL to all of them at once, the janitor too."""
        if self._janitor.poll() is None:
            os.killpg(self._janitor.pid, signal.SIGKILL)

    def close(self) -> None:
        """End whatever is still running, and the janitor. Returns when all are gone."""
        if not self._closed:
            self._closed = True
            os.close(self._parent)
            os.close(self._life)
            self._janitor.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def terminate(process: subprocess.Popen[bytes], within_s: float) -> bool:
    """SIGTERM, then SIGKILL after `within_s` seconds; whether SIGTERM was enough."""
    process.terminate()
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    return True
