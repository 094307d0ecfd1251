"""Templates that a rule names and the folder does not have: for each language there, each occasion, and each channel.

A template is `<locale>/<name>.firing.jinja`, and `<name>.resolved.jinja` where whoever was told hears of the end, with
the block `sms` for text messages, `subject` and `text` for mail (rules/templates/README.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rule_engine.rules.model import Notify, Problem, Rule
from rule_engine.rules.reading import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

BLOCKS = {"email": ("subject", "text"), "sms": ("sms",)}
_BLOCK = re.compile(r"{%[-+]?\s*block\s+(\w+)")
_EXTENDS = re.compile(r"{%[-+]?\s*extends\b")


def lint_templates(rules: Iterable[Rule], folder: Path) -> list[Problem]:
    """A warning for each template, or block of one, that is missing in a language that the folder has."""
    locales = _locales(folder)
    return [
        Problem(entry.place or rule.place, message, rule.id, "warning", code)
        for rule in rules
        for entry in rule.notify
        if entry.entry.template is not None
        for code, message in _missing(rule, entry, entry.entry.template, locales, folder)
    ]


def _locales(folder: Path) -> dict[str, dict[str, Path]]:
    """The templates by locale and name."""
    return {
        each.name: {file.stem: file for file in sorted(each.glob("*.jinja"))}
        for each in sorted(folder.iterdir())
        if each.is_dir() and any(each.glob("*.jinja"))
    }


def _missing(
    rule: Rule, entry: Notify, name: str, locales: dict[str, dict[str, Path]], folder: Path
) -> Iterator[tuple[str, str]]:
    occasions = ["firing", *(["resolved"] if entry.entry.resolves and _ends(rule) else [])]
    if not locales:
        yield "no-template", f"there are no templates in {folder}: expected {folder}/en/{name}.firing.jinja"
    for locale, templates in locales.items():
        for occasion in occasions:
            file = templates.get(f"{name}.{occasion}")
            if file is None:
                names = {each.rpartition(".")[0] for each in templates} - {name, ""}
                expected = folder / locale / f"{name}.{occasion}.jinja"
                yield (
                    "no-template",
                    f"there is no template {name!r} for {locale}, {occasion}: expected {expected}{nearest(name, names)}",
                )
            else:
                yield from _missing_blocks(file, entry)


def _ends(rule: Rule) -> bool:
    return not rule.over_at_once


def _missing_blocks(file: Path, entry: Notify) -> Iterator[tuple[str, str]]:
    text = file.read_text(encoding="utf-8", errors="replace")
    if _EXTENDS.search(text):
        return  # its blocks may stand elsewhere
    blocks = set(_BLOCK.findall(text))
    for channel in entry.entry.channels:
        for block in BLOCKS.get(channel, ()):
            if block not in blocks:
                yield (
                    "no-block",
                    f"{file} has no block {block!r}, which {channel} needs: {{% block {block} %}}…{{% endblock %}}",
                )
