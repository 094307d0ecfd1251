"""Bodies are read within bounds, and what they held is free again afterwards."""

import pytest
from starlette.requests import Request

from signal_ingest.accept import Rejected
from signal_ingest.bodies import Bodies
from signal_ingest.problems import Problem


def request(*parts: bytes) -> Request:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive():
        return messages.pop(0)

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def test_a_body_is_read_whole():
    async with Bodies().read(request(b"ab", b"c")) as body:
        assert body == b"abc"


async def test_more_than_may_be_held_is_refused_until_there_is_room():
    bodies = Bodies(max_held_bytes=10)
    async with bodies.read(request(b"12345678")):
        with pytest.raises(Problem) as refused:
            async with bodies.read(request(b"abc")):
                pass
        assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    async with bodies.read(request(b"abc")) as body:
        assert body == b"abc"


async def test_what_was_refused_or_failed_holds_nothing():
    bodies = Bodies(max_held_bytes=1_000_000)
    with pytest.raises(Rejected, match="larger than"):
        async with bodies.read(request(*[b"x" * 400_000] * 3)):
            pass
    with pytest.raises(ZeroDivisionError):
        async with bodies.read(request(b"12345678")):
            raise ZeroDivisionError
    async with bodies.read(request(b"x" * 500_000, b"x" * 500_000)) as body:
        assert len(body) == 1_000_000
