"""Public holidays of countries and their parts, observed days with them, as the package `holidays` has them."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date


def problem_of(code: str) -> str | None:
    """What is wrong with a code such as `DE` or `DE-BY`; None if it stands for holidays."""
    country, dash, part = code.partition("-")
    countries = _countries()
    if country not in countries:
        return f"no holidays are known for {country!r}: expected a country in two letters, such as DE{_near(country, countries)}"
    if dash and part not in countries[country]:
        parts = [f"{country}-{each}" for each in countries[country]]
        if not parts:
            return f"{country} has the same holidays everywhere: expected {country}"
        some = ", ".join(parts[:20]) + (" …" if len(parts) > 20 else "")
        return f"{country} has no part {part!r}; expected one of {some}"
    return None


@lru_cache(maxsize=4096)
def public_holidays(code: str, year: int) -> frozenset[date]:
    """The days of a year on which the country, or the part of it, has a holiday."""
    from holidays import country_holidays  # noqa: PLC0415 - half a second that most rule files do not need

    country, _, part = code.partition("-")
    return frozenset(country_holidays(country, subdiv=part or None, years=year, expand=False, observed=True))


@lru_cache(maxsize=1)
def _countries() -> dict[str, list[str]]:
    """The parts of each country, by their two letters."""
    from holidays import list_supported_countries  # noqa: PLC0415

    every = list_supported_countries(include_aliases=False)
    return {
        name: [part for part in parts if part.isalnum()] for name, parts in every.items() if len(name) == 2
    }


def _near(word: str, words: Iterable[str]) -> str:
    if word.upper() == "UK":
        return "; did you mean GB?"
    near = get_close_matches(word[:60].upper(), list(words), 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""
