"""Starts rule_engine: `python -m rule_engine`, configured by environment alone (see config.py).

Exit codes: 0 told to stop · 2 settings · 69 Kafka or its topics are not there · 70 the state of a lane is in doubt, or a
bug of ours: start it again, all is read anew from the last commit.
"""

import asyncio
import os
import signal
import sys

import structlog
import uvloop
from pydantic import ValidationError

from rule_engine.app import Worker
from rule_engine.config import Settings
from rule_engine.http import Pages
from rule_engine.logs import log_to_stderr
from rule_engine.topology import UnavailableError

OK, USAGE, UNAVAILABLE, DOUBT = 0, 2, 69, 70

log = structlog.get_logger()


def main() -> int:
    if len(sys.argv) > 1:
        print(f"{__doc__}\nSettings, as environment variables:\n{Settings.table()}")
        return OK if sys.argv[1] in {"-h", "--help"} else USAGE
    try:
        settings = Settings()
    except ValidationError as error:
        for each in error.errors():
            name = "BEFOREHAND_" + "_".join(map(str, each["loc"])).upper()
            print(
                f"{name}: {each['msg']}; `python -m rule_engine --help` lists the settings", file=sys.stderr
            )
        return USAGE
    log_to_stderr(settings)
    # Faust's consumer makes a loop of its own in its thread, and that shall be uvloop's as well
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    return asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    worker = Worker(settings, die)
    try:
        pages = Pages(
            settings.http_host, settings.http_port, alive=worker.alive, ready=worker.ready, registry=worker.metrics.registry
        )  # fmt: skip
    except OSError as error:
        log.critical("port not free", host=settings.http_host, port=settings.http_port, error=error.strerror,
                     mend="BEFOREHAND_HTTP_PORT names another")  # fmt: skip
        return UNAVAILABLE
    pages.start()
    log.info(
        "serving", url=f"http://{settings.http_host}:{pages.port}", kafka=settings.kafka, group=settings.group
    )
    try:
        await worker.run(stop)
    except UnavailableError as error:
        log.critical("unavailable", reason=str(error))
        return UNAVAILABLE
    finally:
        pages.stop()
    log.info("stopped")
    return OK


def die(what: str, error: BaseException) -> None:
    """At once, and with nothing finished: what a half-done step left behind must not be committed by what comes after."""
    log.critical(what, exc_info=error)
    sys.stderr.flush()
    os._exit(DOUBT)


if __name__ == "__main__":
    sys.exit(main())
