"""Starts signal_ingest: `python -m signal_ingest`, configured by environment alone (see config.py).

Exit codes: 0 told to stop · 1 something broke: start it again, nothing is lost · 2 settings.
"""

import asyncio
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

import structlog
import uvicorn
from pydantic import ValidationError

from signal_ingest.config import Settings
from signal_ingest.consume import Consumer
from signal_ingest.http import Ingest, create_app
from signal_ingest.keys import KeysError, load
from signal_ingest.logs import log_to_stderr
from signal_ingest.metrics import Metrics
from signal_ingest.publish import Gate

log = structlog.get_logger()


class _Server(uvicorn.Server):
    """uvicorn, but whoever runs it takes the signals, and the process ends with 0 when it was told to stop."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def main() -> int:
    if len(sys.argv) > 1:
        print(f"{__doc__}\nSettings, as environment variables:\n{Settings.table()}")
        return 0 if sys.argv[1] in {"-h", "--help"} else 2
    try:
        settings = Settings()  # type: ignore[call-arg]  # what has no default comes from the environment
        keys = load(settings.ingest_keys_file)
    except ValidationError as error:
        for each in error.errors():
            name = "BEFOREHAND_" + "_".join(map(str, each["loc"])).upper()
            print(
                f"{name}: {each['msg']}; `python -m signal_ingest --help` lists the settings", file=sys.stderr
            )
        return 2
    except KeysError as error:
        print(f"BEFOREHAND_INGEST_KEYS_FILE: {error}", file=sys.stderr)
        return 2
    log_to_stderr(settings)
    metrics = Metrics()
    max_future = timedelta(seconds=settings.ingest_max_future_s)
    kafka = settings.kafka_client()
    gate = Gate(
        kafka=kafka, prefix=settings.topic_prefix, timeout_s=settings.ingest_publish_timeout_s,
        max_pending_bytes=settings.ingest_max_pending_bytes, remembered=settings.ingest_remembered_events, metrics=metrics,
    )  # fmt: skip
    consumer = Consumer(
        kafka=kafka, prefix=settings.topic_prefix, gate=gate, metrics=metrics, max_future=max_future
    )
    app = create_app(Ingest(gate, keys, metrics, max_future, consuming=lambda: consumer.is_reading))
    server = _Server(
        uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
    return asyncio.run(_serve(server, gate, consumer))


async def _serve(server: uvicorn.Server, gate: Gate, consumer: Consumer) -> int:
    """Until SIGTERM or Ctrl-C: then requests under way are answered, and what is on its way into Kafka gets there."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving = asyncio.create_task(server.serve())
    consuming = asyncio.create_task(consumer.run())
    gating = asyncio.create_task(gate.run())
    done, _ = await asyncio.wait({serving, consuming, gating}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await asyncio.wait({serving})
    for task in (consuming, gating):
        task.cancel()
    await asyncio.wait({consuming, gating})
    for task in done:
        if error := task.exception():
            log.error("stopped by a mistake of ours", exc_info=error)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
