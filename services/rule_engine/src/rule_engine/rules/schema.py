"""The JSON Schema (2020-12) of a rule file, for editors: from the same table of words that the loader reads."""

from __future__ import annotations

from typing import Any

from rule_engine.rules.words.file import FILE
from rule_engine.rules.words.selectors import SELECTOR


def file_schema() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Beforehand rules",
        "description": "When a company's customers are to be told that something went wrong, how, and when it is over.",
        "$defs": {"selector": SELECTOR.schema()},
        **FILE.schema(),
    }
