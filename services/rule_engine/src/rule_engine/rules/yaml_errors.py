"""libyaml's complaints in words that say what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml as libyaml

_QUOTE = "put the whole text in quotes"
_LATER_CHARACTERS = {
    "\t": "a tab may not indent YAML: use blanks",
    "@": f"a text may not begin with @: {_QUOTE}",
    "`": f"a text may not begin with a backquote: {_QUOTE}",
    "%": f"a text may not begin with %: {_QUOTE}",
}


def explain(text: str, error: libyaml.MarkedYAMLError) -> tuple[int, str]:
    """Where the text is wrong (offset), and why."""
    mark = error.problem_mark or error.context_mark
    at = min(mark.index, len(text)) if mark else 0
    problem = str(error.problem or "this is not YAML")
    opened = error.context_mark.line + 1 if error.context_mark else 0
    found = text[at : at + 1]
    # libyaml's mark may stand on what follows the offending sign of an alias
    if "alias" in str(error.context) or "anchor" in str(error.context):
        sign = text[error.context_mark.index] if error.context_mark else "*"
        offset = error.context_mark.index if error.context_mark else at
        return offset, f"a text may not begin with {sign}: {_QUOTE}"
    if "cannot start any token" in problem:
        return at, _LATER_CHARACTERS.get(found, f"a text may not begin with {found!r}: {_QUOTE}")
    if problem.startswith("mapping values are not allowed"):
        return (
            at,
            f"a second ': ' in one text, or a key too far to the right: if it belongs to the text, {_QUOTE}",
        )
    if "expected ',' or ']'" in problem:
        return (
            at,
            f"expected ',' or ']' in the list that begins in line {opened}; a text with , [ ] {{ }} needs quotes there",
        )
    if "expected ',' or '}'" in problem:
        return (
            at,
            f"expected ',' or '}}' in the mapping that begins in line {opened}; a text with , [ ] {{ }} needs quotes there",
        )
    if "expected key" in problem or "expected '-' indicator" in problem:
        return at, _misplaced(text, at, opened)
    if "while scanning a quoted scalar" in str(error.context) and "end of stream" in problem:
        opening = error.context_mark.index if error.context_mark else at
        return opening, "the quote that begins here is never closed"
    if "tag" in str(error.context):
        return at, "an unquoted ! begins a YAML tag, which rule files do not use: put the text in quotes"
    return at, re.sub(r"^(found|did not find|could not find)", r"\1", problem)


def _misplaced(text: str, at: int, opened: int) -> str:
    line_start = max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1
    before = text[line_start:at].rstrip()
    if before.endswith(('"', "'")):
        return f"text after a closing quote: {_QUOTE}, with the other kind of quotes outside"
    if before:
        return f"this does not belong here: if it belongs to the text before it, {_QUOTE}"
    return f"this line stands neither as far to the right as what begins in line {opened}, nor inside it"
