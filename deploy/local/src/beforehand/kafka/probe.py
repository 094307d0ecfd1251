"""Whether a broker answers; needs no Java, so that those who only use a broker need none."""

import socket
import ssl
import struct
from contextlib import ExitStack


def answers(host: str, port: int, tls: ssl.SSLContext | None = None) -> bool:
    """Whether a Kafka broker serves there: it answers an ApiVersions request, which it does only when it is up.

    A broker that wants a password answers it before it gets that. Raises ssl.SSLError if TLS fails.
    """
    request = struct.pack(">hhih", 18, 0, 1, -1)  # ApiVersions, version 0, correlation 1, no client id
    try:
        with ExitStack() as closing:
            connection = closing.enter_context(socket.create_connection((host, port), timeout=2))
            if tls is not None:
                connection = closing.enter_context(tls.wrap_socket(connection, server_hostname=host))
            connection.sendall(struct.pack(">i", len(request)) + request)
            return len(connection.recv(8)) > 0
    except ssl.SSLError:
        raise
    except OSError:
        return False
