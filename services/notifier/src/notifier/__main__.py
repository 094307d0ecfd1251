"""Starts notifier: `python -m notifier`, configured by environment alone (see config.py), until SIGTERM or Ctrl-C.

Exit codes: 0 told to stop · 1 something broke: start it again, nothing is lost · 2 settings.
"""

import asyncio
import signal
import sys
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from typing import Any, NoReturn

import structlog
import uvicorn
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from notifier.channels import Channel
from notifier.channels.email import Email
from notifier.channels.sms import Sms
from notifier.config import Settings, read_secret
from notifier.consume import Consumption
from notifier.controls import Controls
from notifier.database import open_database
from notifier.delivery_log import Decide, DeliveryLog
from notifier.dispatch import Dispatch
from notifier.http import RECEIPTS_PATH, Readiness, create_app
from notifier.intake import Intake
from notifier.links import Links, OptOut
from notifier.logs import configure_logs
from notifier.pipeline import Draft, Situation, decide
from notifier.publish import Relay
from notifier.templates import Templates
from notifier.writing import Writer

# whoever runs us gives 10 s between SIGTERM and SIGKILL
FINISH_S = 6.0  # for what is in flight; what is not recorded by then is marked at the next start
CLOSE_S = 2.0  # for everything else

log = structlog.get_logger()


def main() -> None:
    if len(sys.argv) > 1:
        print(f"{__doc__}\nSettings, as environment variables:\n{Settings.table()}")
        sys.exit(0 if sys.argv[1] in {"-h", "--help"} else 2)
    try:
        settings = Settings()
        configure_logs(settings.log_format, settings.log_level)
        sys.exit(asyncio.run(run(settings)))
    except ValidationError as error:
        wrong = (f"BEFOREHAND_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        _refuse("settings are wrong: " + "; ".join(wrong) + "; --help lists them")
    except ValueError as error:
        _refuse(str(error))
    except SQLAlchemyError as error:
        what = f"the database can't be opened ({type(error).__name__})"
        sys.exit(f"notifier: {what}: is BEFOREHAND_DATABASE_URL right, does it run?")


def _refuse(why: str) -> NoReturn:
    print(f"notifier: {why}", file=sys.stderr)
    sys.exit(2)


async def run(settings: Settings) -> int:
    """Runs until a signal comes (then 0) or a part of it breaks (then 1: whoever runs it starts it anew)."""
    if settings.link_secret_file is None:
        raise ValueError(
            "BEFOREHAND_LINK_SECRET_FILE must name a file with a secret that signs unsubscribe links"
        )
    if not settings.templates.is_dir():
        raise ValueError(
            f"BEFOREHAND_TEMPLATES: there is no folder {settings.templates.absolute()}: start it where the rules' templates are, or name their folder"
        )
    company = parseaddr(settings.mail_from)[0] or parseaddr(settings.mail_from)[1].rpartition("@")[2]
    templates = Templates(
        settings.templates, default_locale=settings.default_locale, default_zone=settings.time_zone
    )
    links = Links(read_secret(settings.link_secret_file), settings.public_url)
    sms_token = read_secret(settings.sms_auth_token_file) if settings.sms_auth_token_file else None
    channels = channels_of(settings, sms_token)
    controls = Controls()
    writer = Writer(templates, company)

    def decide_at(moment: datetime) -> Decide:
        situation = Situation(
            now=moment, pauses=controls.pauses, channels=frozenset(channels),
            operations_email=settings.operations_email, critical_categories=settings.critical_categories,
            unsubscribe_url=lambda draft: links.unsubscribe_url(_opt_out(draft)), write=writer,
        )  # fmt: skip
        return lambda draft: decide(draft, situation)

    engine = await open_database(settings.database_url)
    try:
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        delivery_log = DeliveryLog(sessions, prefix=settings.topic_prefix, clock=now)
        intake = Intake(sessions, prefix=settings.topic_prefix, clock=now)
        kafka = settings.kafka_client()
        consumption = Consumption(
            kafka, settings.topic_prefix, intake=intake, delivery_log=delivery_log, controls=controls
        )
        dispatch = Dispatch(delivery_log, channels, reader=consumption, decide=decide_at, clock=now)
        relay = Relay(kafka, sessions, lambda: consumption.partitions)
        app = create_app(
            delivery_log, templates, links, company=company, public_url=settings.public_url,
            sms_auth_token=sms_token, readiness=lambda: readiness(engine, consumption),
        )  # fmt: skip
        server = _Server(
            uvicorn.Config(
                app, host=settings.http_host, port=settings.http_port, log_config=None, access_log=False
            )
        )
        parts = {
            "consumption": consumption.run(dispatch),
            "relay": relay.run(),
            "http": server.serve(),
            "housekeeping": keep_house(delivery_log, timedelta(days=settings.keep_days)),
        }
        return await _until_stopped(dispatch, server, parts)
    finally:
        for channel in channels.values():
            await channel.close()
        await engine.dispose()


def now() -> datetime:
    return datetime.now(UTC)


def channels_of(settings: Settings, sms_token: str | None) -> dict[str, Channel]:
    """The channels that are set up. Raises ValueError for settings that contradict each other."""
    password = read_secret(settings.smtp_password_file) if settings.smtp_password_file else None
    channels: dict[str, Channel] = {
        "email": Email(settings.smtp_url, settings.mail_from, password=password, clock=now)
    }
    if settings.sms_url:
        if sms_token is None or not settings.sms_account_sid or not settings.sms_from:
            raise ValueError(
                "BEFOREHAND_SMS_URL also needs BEFOREHAND_SMS_ACCOUNT_SID, BEFOREHAND_SMS_AUTH_TOKEN_FILE and BEFOREHAND_SMS_FROM"
            )
        channels["sms"] = Sms(
            settings.sms_url, account_sid=settings.sms_account_sid, auth_token=sms_token, sender=settings.sms_from,
            receipts_url=settings.public_url + RECEIPTS_PATH,
        )  # fmt: skip
    return channels


async def readiness(engine: AsyncEngine, consumption: Consumption) -> Readiness:
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        database = True
    except SQLAlchemyError:
        database = False
    progress = {
        "database": database,
        "partitions": sorted(consumption.partitions),
        "behind": consumption.behind,
    }
    return Readiness(database and consumption.caught_up, progress)


async def keep_house(delivery_log: DeliveryLog, keep: timedelta) -> None:
    """Forgets once an hour what is over for so long."""
    while True:
        try:
            await delivery_log.forget(now() - keep)
        except SQLAlchemyError as error:
            log.warning("database failed", error=type(error).__name__)
        await asyncio.sleep(3600)


async def _until_stopped(
    dispatch: Dispatch, server: uvicorn.Server, parts: Mapping[str, Coroutine[Any, Any, None]]
) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopped = asyncio.create_task(stop.wait())
    sending = asyncio.create_task(dispatch.run(), name="dispatch")
    tasks = [sending, *(asyncio.create_task(part, name=name) for name, part in parts.items())]
    done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
    broken = [task for task in tasks if task in done]
    for task in broken:
        log.error("part broke", part=task.get_name(), exc_info=task.exception())
    sending.cancel()
    await dispatch.settle(FINISH_S)
    server.should_exit = True
    for task in tasks:
        if task.get_name() != "http":
            task.cancel()
    await asyncio.wait(tasks, timeout=CLOSE_S)
    stopped.cancel()
    return 1 if broken else 0


def _opt_out(draft: Draft) -> OptOut:
    assert draft.customer is not None
    return OptOut(draft.customer, draft.opt_out, draft.channel)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours: the mails in flight want to be recorded first."""
        yield


if __name__ == "__main__":
    main()
