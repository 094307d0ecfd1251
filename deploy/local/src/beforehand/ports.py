"""Addresses on this machine."""

import errno
import fcntl
import os
import secrets
import socket
import tempfile
from pathlib import Path

from beforehand.errors import PortTakenError

HOST = "127.0.0.1"
OFFERED = range(20_000, 30_000)  # below those that systems give to outgoing connections, which come and go
TRIES = 100


def is_free(port: int) -> bool:
    """Whether a server could listen on HOST:port now. Raises PortTakenError where this user may not try."""
    with socket.socket() as probe:
        # Servers set this too: without it a port counts as taken for a minute after its last connection.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise PortTakenError(
                f"port {port} can't be used: {error.strerror}; choose another one"
            ) from error
    return True


def free_port(avoid: frozenset[int] = frozenset()) -> int:
    """A port that nobody listens on and that is not in `avoid`, at random: others who look now get other ones."""
    for _ in range(TRIES):
        port = secrets.choice(OFFERED)
        if port not in avoid and is_free(port):
            return port
    raise PortTakenError(
        f"no port from {OFFERED[0]} to {OFFERED[-1]} is free: end some programs and try again"
    )


class PortClaims:
    """Ports that are ours before anything listens on them, so that two installations that start at once don't mix.

    Claims are known to whoever claims ports in this way, and end with the last process that inherits their `fds`.
    """

    def __init__(self) -> None:
        self._fds: dict[int, int] = {}

    @property
    def fds(self) -> tuple[int, ...]:
        return tuple(self._fds.values())

    def claim(self, port: int) -> bool:
        """False if somebody listens there or has claimed it. Raises PortTakenError where this user may not try."""
        if port in self._fds or not is_free(port):
            return False
        folder = Path(tempfile.gettempdir()) / f"beforehand-ports-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        fd = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        self._fds[port] = fd
        return True

    def release(self) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()
