"""What several commands take on the command line, and how they refuse it."""

from __future__ import annotations

import time

import click

from contracts.times import parse_time, to_micros
from rule_engine.rules.durations import parse_duration


class Unusable(click.ClickException):
    exit_code = 2


class Moment(click.ParamType):
    """Microseconds since the epoch, of an RFC 3339 time."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return to_micros(parse_time(str(value)))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Since(Moment):
    """The same, or a duration back from now."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return time.time_ns() // 1000 - parse_duration(str(value))
        except ValueError:
            return super().convert(value, param, ctx)
