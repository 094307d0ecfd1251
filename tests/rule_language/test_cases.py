"""Sentences of docs/rule-language.md, quoted as the names of inline tests, and what they mean to the second."""

from pathlib import Path

import pytest

from rule_engine.commands.trial import run_test
from rule_engine.rules.load import RuleSource, load_text
from rule_engine.rules.tests import RuleTest

CASES = [
    pytest.param(source, test, id=f"{path.stem}-{number}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    for source in [load_text(path.read_text(), path.name)]
    for number, test in enumerate(source.tests, start=1)
]


@pytest.mark.parametrize(("source", "test"), CASES)
def test_it_means_what_it_says(source: RuleSource, test: RuleTest) -> None:
    outcome = run_test(source, test)
    assert not outcome.failures
    wrong = [
        f"after {(row.at_us - test.start_us) / 1_000_000:g} s: "
        + (
            "; ".join(row.notes)
            if row.notes
            else f"{row.actual} is not expected"
            if row.expected is None
            else f"{row.expected} did not happen"
        )
        for row in outcome.rows
        if not row.agrees
    ]
    assert not wrong, f"{test.name!r}\n" + "\n".join(wrong)
