"""Addresses on this machine."""

import errno
import socket

from beforehand.errors import PortTakenError

HOST = "127.0.0.1"
TRIES = 20


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
    """A port that nobody listens on and that is not in `avoid`."""
    for _ in range(TRIES):
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
            if port not in avoid:
                return port
    raise PortTakenError("this machine has no free port left: end some programs and try again")
