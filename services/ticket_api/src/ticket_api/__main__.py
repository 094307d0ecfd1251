"""Wiring: settings, database, Kafka, web. Exit codes: 0 told to stop, 1 something broke, 2 wrong settings."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import structlog
import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from ticket_api import logs, publish, retention
from ticket_api.app import make_app
from ticket_api.config import ConfigError, Settings
from ticket_api.consume import Intake
from ticket_api.database import Database
from ticket_api.metrics import Metrics

log = structlog.get_logger()

_TRY_AGAIN_S = 1.0
_STOP_WITHIN_S = 3.0
_Client = TypeVar("_Client", AIOKafkaConsumer, AIOKafkaProducer)
_HELP = """\
python -m ticket_api: tickets, and the timeline of each customer. The API is under /v1 (/openapi.json describes it), the desk's
pages begin at /. It takes no arguments.

Exit codes: 0 told to stop · 1 something broke: start it again, nothing is lost · 2 settings

Settings, as environment variables:
"""


class _Server(uvicorn.Server):
    """uvicorn, but whoever runs it takes the signals, and the process ends with 0 when it was told to stop."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class _Kafka:
    """Producer, consumer, and what goes on behind the requests; tried again and again until the broker is there."""

    def __init__(self, settings: Settings, database: Database, metrics: Metrics) -> None:
        self._settings = settings
        self._database = database
        self._metrics = metrics
        self.intake: Intake | None = None

    async def run(self) -> None:
        kafka, prefix = self._settings.kafka_client(), self._settings.topic_prefix

        def new_consumer() -> AIOKafkaConsumer:
            return AIOKafkaConsumer(
                **kafka, group_id=f"{prefix}ticket_api", client_id="ticket_api", enable_auto_commit=False,
                auto_offset_reset="earliest", isolation_level="read_committed", metadata_max_age_ms=10_000,
            )  # fmt: skip

        def new_producer(*, idempotent: bool) -> AIOKafkaProducer:
            return AIOKafkaProducer(
                **kafka, client_id="ticket_api", acks="all", enable_idempotence=idempotent,
                metadata_max_age_ms=10_000,
            )  # fmt: skip

        letters = partial(new_producer, idempotent=False)  # a dead letter may come twice, in any order
        outbox = partial(_started, partial(new_producer, idempotent=True))
        async with _started(letters) as producer, _started(new_consumer) as consumer:
            log.info("kafka connected", bootstrap=self._settings.kafka)
            self.intake = Intake(self._database, consumer, producer, prefix, self._metrics)
            async with asyncio.TaskGroup() as jobs:
                jobs.create_task(self.intake.run())
                jobs.create_task(publish.relay(self._database, outbox, prefix, self._metrics.relayed))
                jobs.create_task(retention.forget_old(self._database, self._settings.timeline_days))


def main() -> int:
    if len(sys.argv) > 1:
        print(_HELP + Settings.table())
        return 0 if sys.argv[1] in {"-h", "--help"} else 2
    try:
        settings = Settings()
        desk_key = settings.desk_key()
        listener = settings.listen()
    except ValidationError as error:
        for each in error.errors():
            name = "_".join(("BEFOREHAND", *map(str, each["loc"]))).upper()
            print(f"{name}: {each['msg']}; `python -m ticket_api --help` lists the settings", file=sys.stderr)
        return 2
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    logs.set_up(settings.log_format, settings.log_level)
    with listener:
        return asyncio.run(_serve(settings, desk_key, listener))


async def _serve(settings: Settings, desk_key: str, listener: socket.socket) -> int:
    """Until SIGTERM or Ctrl-C; then requests and the batch under way are finished."""
    database, metrics = Database(settings.database_url), Metrics()
    kafka = _Kafka(settings, database, metrics)

    async def readiness() -> dict[str, Any]:
        intake = kafka.intake
        told = {
            "database": await database.answers(),
            "kafka": intake is not None and intake.hears,
            "caught_up": intake is not None and intake.caught_up,
        }
        behind = (
            None if intake is None or intake.behind is None else sum(n or 0 for n in intake.behind.values())
        )
        return {"ready": all(told.values()), **told, "behind": behind}

    server = _Server(
        uvicorn.Config(
            make_app(database, desk_key, metrics, readiness),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=4,
        )
    )
    try:
        await database.migrate()
        return await _run(server, listener, kafka.run)
    except Exception:
        log.exception("stopped by an error")
        return 1
    finally:
        await database.close()


async def _run(server: uvicorn.Server, listener: socket.socket, kafka: Callable[[], Any]) -> int:
    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    working = asyncio.create_task(kafka())
    await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
    broken = working.done()
    stop()
    await serving
    working.cancel()
    await asyncio.wait({working})
    if broken:
        await working
    return 0


@asynccontextmanager
async def _started(new: Callable[[], _Client]) -> AsyncIterator[_Client]:
    """A client that reached the broker, however long that takes; stopped at the end."""
    while True:
        client = new()
        try:
            await client.start()
            break
        except KafkaError as error:
            await client.stop()
            log.warning("kafka not reached", reason=type(error).__name__, retry_in_s=_TRY_AGAIN_S)
            await asyncio.sleep(_TRY_AGAIN_S)
    try:
        yield client
    finally:
        # to a broker that is gone there is no goodbye
        with suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(client.stop(), _STOP_WITHIN_S)


if __name__ == "__main__":
    sys.exit(main())
