"""Each clause of docs/rule-language.md has cases that quote it, or a place in elsewhere.yaml that says what shows it."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sentences import PAGE, passages, plain, quoted, unquoted

from rule_engine.rules.load import load_text

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PASSAGES = [*passages(PAGE.read_text())]
ELSEWHERE: dict[str, Any] = yaml.safe_load((HERE / "elsewhere.yaml").read_text())
SHOWN: dict[str, str | list[str]] = ELSEWHERE["shown by a test"]
NOT_BUILT: dict[str, str] = ELSEWHERE["not built yet"]
BEING_BUILT: list[str] = [quote for quotes in ELSEWHERE["being built"].values() for quote in quotes]
ABOUT: list[str] = ELSEWHERE["about the page"]
QUOTING = (
    "the name of a case, or what stands before one of its colons, is verbatim on the page, but for ` * ' \" and capitals; "
    "' … ' may leave something out; these are not there:"
)


@cache
def cases() -> list[tuple[str, str, set[str]]]:
    """File, name and the conditions of each case's rules."""
    found = []
    for path in sorted((HERE / "cases").glob("*.yaml")):
        source = load_text(path.read_text(), path.name)
        conditions = {rule.id: _word(rule.condition) for rule in source.rules}
        found += [(path.name, test.name, {conditions[rule] for rule in test.rules}) for test in source.tests]
    return found


def test_every_clause_has_cases_that_quote_it_or_is_named_elsewhere() -> None:
    by_cases = [(name, conditions) for _, name, conditions in cases()]
    elsewhere = [(quote, None) for quote in (*SHOWN, *NOT_BUILT, *BEING_BUILT, *ABOUT)]
    missing = unquoted(PASSAGES, [*by_cases, *elsewhere])
    assert not missing, "cases quote less than half of\n" + "\n".join(map(str, missing))


def test_every_case_quotes_the_page() -> None:
    strangers = [f"{file}: {name}" for file, name, _ in cases() if not quoted(name, PASSAGES)]
    assert not strangers, f"{QUOTING}\n" + "\n".join(strangers)


def test_what_is_named_elsewhere_is_on_the_page() -> None:
    stale = [quote for quote in (*SHOWN, *NOT_BUILT, *BEING_BUILT, *ABOUT) if not quoted(quote, PASSAGES)]
    assert not stale, "elsewhere.yaml quotes what is not on the page\n" + "\n".join(stale)


def test_the_tests_that_are_named_elsewhere_exist() -> None:
    named = {test for tests in SHOWN.values() for test in ([tests] if isinstance(tests, str) else tests)}
    gone = [test for test in sorted(named) if not _exists(test)]
    assert not gone, "elsewhere.yaml names tests that are not there\n" + "\n".join(gone)


def test_what_is_not_built_yet_has_neither_a_case_nor_a_test() -> None:
    quotes = [plain(quote) for quote in (*SHOWN, *(name for _, name, _ in cases()))]
    landed = [quote for quote in NOT_BUILT if any(plain(quote) in each for each in quotes)]
    assert not landed, "take these out of `not built yet`\n" + "\n".join(landed)


def _word(condition: object) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(condition).__name__).lower()


def _exists(test: str) -> bool:
    """A parameter is the stem of a file beside the test, as bad/NAME.yaml."""
    file, name, parameter = re.fullmatch(r"(.+)::(\w+)(?:\[(.+)\])?", test).groups()
    path = ROOT / file
    return (
        path.is_file()
        and any(
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
            for node in ast.walk(ast.parse(path.read_text()))
        )
        and (parameter is None or any(path.parent.glob(f"*/{parameter}.yaml")))
    )
