"""Ends a group of processes when the process that started them is gone, even by kill -9.

Started by processes.py as the leader of that group, with two pipes. Nothing is ever written to them; what counts
is who still holds the writing ends: of `parent` the starter alone, of `life` the starter and every process of the
group. So the end of `parent` means that the starter is gone, and the end of `life` that all of them are.
`leftovers` are files that must not outlive them.
A file of its own that imports nothing of the package: it starts in milliseconds and stays small.
"""

import os
import select
import signal
import sys
from pathlib import Path

GRACE_S = 8.0


def main(parent: int, life: int, leftovers: list[str]) -> None:
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    os.read(parent, 1)
    for path in leftovers:
        Path(path).unlink(missing_ok=True)
    if not ended(life, within_s=0.0):
        os.killpg(0, signal.SIGTERM)
        if not ended(life, within_s=GRACE_S):
            os.killpg(0, signal.SIGKILL)  # this process too


def ended(pipe: int, within_s: float) -> bool:
    return bool(select.select([pipe], [], [], within_s)[0])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
