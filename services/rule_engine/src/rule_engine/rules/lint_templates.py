"""Templates that a rule names and the folder does not have: for each language there, and each channel.

A template is `<locale>/<name>.jinja`, with the block `sms` for text messages, `subject` and `text` for mail
(rules/templates/README.md).
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
        for code, message in _missing(entry, entry.entry.template, locales, folder)
    ]


def _locales(folder: Path) -> dict[str, dict[str, Path]]:
    """The templates by locale and name."""
    return {
        each.name: {file.stem: file for file in sorted(each.glob("*.jinja"))}
        for each in sorted(folder.iterdir())
        if each.is_dir() and any(each.glob("*.jinja"))
    }


def _missing(
    entry: Notify, name: str, locales: dict[str, dict[str, Path]], folder: Path
) -> Iterator[tuple[str, str]]:
    if not locales:
        yield "no-template", f"there are no templates in {folder}: expected {folder}/en/{name}.jinja"
    for locale, templates in locales.items():
        file = templates.get(name)
        if file is None:
            hint = nearest(name, [each for each in templates if each != "layout"])
            yield (
                "no-template",
                f"there is no template {name!r} for {locale}: expected {folder / locale / name}.jinja{hint}",
            )
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        if _EXTENDS.search(text):
            continue  # its blocks may stand elsewhere
        blocks = set(_BLOCK.findall(text))
        for channel in entry.entry.channels:
            for block in BLOCKS.get(channel, ()):
                if block not in blocks:
                    yield (
                        "no-block",
                        f"{file} has no block {block!r}, which {channel} needs: {{% block {block} %}}…{{% endblock %}}",
                    )
