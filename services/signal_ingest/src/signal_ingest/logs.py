"""Logs: one line a happening, to stderr. What libraries say goes the same way, from warnings up, and never as a flood."""

import logging
import sys

import structlog

from signal_ingest.config import Settings

_AGAIN_S = 10.0


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
    handler.addFilter(_NotAgain())
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)


class _NotAgain(logging.Filter):
    """Lets a library say the same thing once in ten seconds: without a broker aiokafka says it a hundred times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        place = (record.pathname, record.lineno)
        if record.exc_info is None and record.created - self._said.get(place, 0.0) < _AGAIN_S:
            return False
        self._said[place] = record.created
        return True
