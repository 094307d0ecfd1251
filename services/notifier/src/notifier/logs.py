"""Logs: one line a decision, to standard output; the libraries' warnings in the same form, and never as a flood."""

import logging
import sys
from typing import Literal

import structlog

_AGAIN_S = 10.0


def configure_logs(form: Literal["json", "console"], level: str) -> None:
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=shared,
        )
    )
    handler.addFilter(_NotAgain())
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("notifier").setLevel(level.upper())


class _NotAgain(logging.Filter):
    """Lets a library say the same thing once in ten seconds: without a broker aiokafka says it a hundred times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        ours = isinstance(record.msg, dict)  # structlog's; each is said
        place = (record.pathname, record.lineno)
        if ours or record.exc_info is not None:
            return True
        if record.created - self._said.get(place, 0.0) < _AGAIN_S:
            return False
        self._said[place] = record.created
        return True
