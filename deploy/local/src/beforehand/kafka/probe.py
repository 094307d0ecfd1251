"""Whether a broker answers; needs no Java, so that those who only use a broker need none."""

import socket
import struct


def answers(host: str, port: int) -> bool:
    """Whether a Kafka broker serves there: it answers an ApiVersions request, which it does only when it is up."""
    request = struct.pack(">hhih", 18, 0, 1, -1)  # ApiVersions, version 0, correlation 1, no client id
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            return len(connection.recv(8)) > 0
    except OSError:
        return False
