"""Ctrl-C, SIGTERM and SIGHUP: each begins a clean stop, and does not spoil one that has begun."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SAME_INTERRUPT_S = 1.0
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupt_once() -> None:
    """From now on the first of ENDINGS raises KeyboardInterrupt, and the next ones do nothing (but see below).

    What is run with nohup goes on when its terminal is closed.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        for number in ENDINGS:
            # Not SIG_IGN: of one that is pending already Python would complain.
            signal.signal(number, _do_nothing)
        raise KeyboardInterrupt

    for number in ENDINGS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle)


def _do_nothing(_number: int, _frame: FrameType | None) -> None:
    pass


@contextmanager
def uninterrupted(at_once: Callable[[], None]) -> Iterator[None]:
    """An interrupt inside does not cut the block short; one that comes a second or later calls `at_once`.

    Some senders (`timeout`, `make`) deliver the first one twice. Outside the main thread this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    begun = time.monotonic()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if time.monotonic() - begun > SAME_INTERRUPT_S:
            at_once()

    before = {number: signal.signal(number, handle) for number in ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
