"""Filters for templates: amounts, numbers and times as the reader's language writes them, in the reader's time zone."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from jinja2 import pass_context
from jinja2.runtime import Context

from contracts.times import parse_time


def filters() -> Mapping[str, Callable[..., str]]:
    return {
        "money": money,
        "number": number,
        "percent": percent,
        "date": date,
        "time": time,
        "datetime": date_and_time,
        "duration": duration,
    }


def babel_locale(tag: str) -> Locale | None:
    """The locale that a BCP 47 tag names, or its language alone; None for what is no language."""
    for attempt in (tag.replace("_", "-"), tag.replace("_", "-").partition("-")[0]):
        try:
            return Locale.parse(attempt, sep="-")
        except (ValueError, UnknownLocaleError, TypeError):
            continue
    return None


def zone(name: str | None, default: str) -> tzinfo:
    """The time zone of this IANA name, or the default one where there is no such zone."""
    try:
        return ZoneInfo(name or default)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo(default)


@pass_context
def money(context: Context, amount: float, currency: str | None = None) -> str:
    """59.9 with "EUR" is €59.90 in English; without a currency it is the number with two decimals."""
    if currency is None:
        return format_decimal(amount, format="#,##0.00", locale=context["babel_locale"])
    return format_currency(amount, currency, locale=context["babel_locale"])


@pass_context
def number(context: Context, value: float) -> str:
    return format_decimal(value, locale=context["babel_locale"])


@pass_context
def percent(context: Context, share: float) -> str:
    """`{{ 0.05 | percent }}` is 5%."""
    return format_percent(share, locale=context["babel_locale"])


@pass_context
def date(context: Context, moment: str | datetime) -> str:
    """The day, in the reader's zone: January 9, 2026."""
    local = _local(context, moment)
    return format_date(local.date(), format="long", locale=context["babel_locale"])


@pass_context
def time(context: Context, moment: str | datetime) -> str:
    """The time of day, in the reader's zone, which is named: 6:00 PM UTC."""
    return f"{format_time(_local(context, moment), format='short', locale=context['babel_locale'])} {_zone_name(context, moment)}"


@pass_context
def date_and_time(context: Context, moment: str | datetime) -> str:
    """Both: Jan 9, 2026, 6:00 PM UTC."""
    day = format_date(_local(context, moment).date(), format="medium", locale=context["babel_locale"])
    return f"{day}, {time(context, moment)}"


@pass_context
def duration(context: Context, seconds: float) -> str:
    """`{{ 7200 | duration }}` is 2 hours."""
    return format_timedelta(timedelta(seconds=seconds), locale=context["babel_locale"])


def _local(context: Context, moment: str | datetime) -> datetime:
    at = parse_time(moment) if isinstance(moment, str) else moment
    zone_: tzinfo = context["zone"]
    return at.astimezone(zone_)


def _zone_name(context: Context, moment: str | datetime) -> Any:
    return _local(context, moment).tzname()
