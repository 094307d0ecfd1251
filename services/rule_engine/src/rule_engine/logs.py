"""One line a happening, to stderr. What libraries say goes the same way, and never as a flood."""

import logging
import sys
import time

import structlog

from rule_engine.config import Settings

SAME_EVERY_S = 10.0
MAX_SAID = 1000


def log_to_stderr(settings: Settings) -> None:
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if settings.log_format == "console"
        else structlog.processors.JSONRenderer()
    )
    level = getattr(logging, settings.log_level.upper())
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    handler.addFilter(Calm())
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    # it warns of each retry, and a busy lane's producer retries often: see retry_backoff_ms in publish
    logging.getLogger("aiokafka.producer.sender").setLevel(logging.ERROR)


class Calm(logging.Filter):
    """Lets the same message through once in ten seconds: without a broker, aiokafka has a hundred lines a second to say."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        what = (record.name, str(record.msg))
        last_s, kept_back = self._said.get(what, (-SAME_EVERY_S, 0))
        now_s = time.monotonic()
        if len(self._said) > MAX_SAID:
            self._said.clear()
        if now_s - last_s < SAME_EVERY_S:
            self._said[what] = (last_s, kept_back + 1)
            return False
        self._said[what] = (now_s, 0)
        if kept_back:
            record.msg = f"{record.msg} (and {kept_back} times more)"
        return True
