"""Outcomes of tests as JUnit's XML, which continuous integration shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import click

from rule_engine.commands.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rule_engine.commands.trial import Outcome

# what XML 1.0 can't carry, even escaped
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(outcomes: Mapping[str, Sequence[tuple[Outcome, float]]]) -> bytes:
    """By file, each outcome with the seconds that it took."""
    root = ET.Element("testsuites")
    for file, tried in outcomes.items():
        failed = sum(not outcome.passed for outcome, _ in tried)
        suite = ET.SubElement(
            root, "testsuite", name=_text(file), tests=str(len(tried)), failures=str(failed), errors="0",
            time=f"{sum(seconds for _, seconds in tried):.3f}",
        )  # fmt: skip
        for outcome, seconds in tried:
            test = outcome.test
            case = ET.SubElement(
                suite, "testcase", name=_text(test.name), classname=_text(" ".join(test.rules)), file=_text(file),
                line=str(test.place.line), time=f"{seconds:.3f}",
            )  # fmt: skip
            if not outcome.passed:
                failure = ET.SubElement(case, "failure", message="not what was expected")
                failure.text = _text(click.unstyle(side_by_side(outcome)))
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _text(text: str) -> str:
    return _UNPRINTABLE.sub("�", text)
