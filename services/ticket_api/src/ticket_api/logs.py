"""Logs: one line an event, fixed names and keys; JSON, or coloured text for people."""

import logging
import sys
from typing import Literal

import structlog

from contracts.logs import NotAgain


def set_up(form: Literal["json", "console"], level: str) -> None:
    """Must run once, before the first line."""
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if form == "console"
        else structlog.processors.JSONRenderer()
    )
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # a traceback without its variables: they hold keys and people's words
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*before, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # what libraries say goes the same way, from warnings up
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *before],
        )
    )
    handler.addFilter(NotAgain())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
