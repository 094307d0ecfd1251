"""Every bad file in bad/ gets exactly the errors beside it; `beforehand rules check NAME.yaml > NAME.txt` writes them."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from rule_engine.commands import rules
from rule_engine.rules.load import load_bytes
from rule_engine.rules.model import RuleFileError

BAD = Path(__file__).parent / "bad"
EXAMPLES = sorted((Path(__file__).parents[3] / "rules").glob("*.yaml"))


@pytest.mark.parametrize("file", sorted(BAD.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_bad_file_gets_its_errors(file, monkeypatch):
    monkeypatch.chdir(BAD)
    result = CliRunner().invoke(rules, ["check", file.name], catch_exceptions=False)
    assert result.stdout == file.with_suffix(".txt").read_text(encoding="utf-8")
    assert result.exit_code == 1


def test_there_are_enough_bad_files():
    assert len(list(BAD.glob("*.yaml"))) >= 40


def problems_of(raw):
    try:
        load_bytes(raw, "f.yaml")
    except RuleFileError as error:
        return error.problems
    return None


def loaded(raw):
    """Loads it, or checks that every error has a place inside the file."""
    problems = problems_of(raw)
    if problems is not None:
        lines = raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert problems
        for problem in problems:
            assert 1 <= problem.place.line <= len(lines)
            assert 1 <= problem.place.column <= len(lines[problem.place.line - 1]) + 2
            assert problem.message


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
def test_whatever_bytes_there_are_the_error_has_a_place(raw):
    loaded(raw)


VALID = b"\n".join(file.read_bytes() for file in EXAMPLES[:1])
BITS = [b"*", b"&a", b"!", b"[", b"]", b"{", b"}", b": ", b"\n", b"- ", b"\t", b"'", b'"', b"|\n", b"#", b"\xff", b"\x00", b"~", b"9" * 30, b"a", b">", b"<<", b"%", b"@", b"\r"]  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(0, len(VALID)), st.integers(0, 30), st.sampled_from(BITS)),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_was_cut_and_pasted_the_error_has_a_place(edits):
    raw = VALID
    for at, removed, added in edits:
        raw = raw[:at] + added + raw[at + removed :]
    loaded(raw)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 20000) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["x", "3m", "data.a", "customer", "*", "email", "data.a >", "firing", "2026-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["version", "rules", "tests", "defaults", "id", "on", "where", "match", "ratio", "event_count", "absence", "gte", "within", "every", "expect", "deadline", "notify", "to", "template", "channels", "ticket", "queue", "vars", "group_by", "scope", "resolve_on", "name", "rule", "start", "events", "at", "type", "until", "times", "state", "key", "value", "category", "after", "affected", "for", "of", "min_events"]
        ),
        inner,
        max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(JSON, JSON, JSON)
def test_whatever_stands_at_a_key_the_error_has_a_place(rule, test, defaults):
    import json

    loaded(json.dumps({"defaults": defaults, "rules": [rule, rule], "tests": [test]}).encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 400_000, b"{" * 400_000, b"- " * 200_000, b"a:\n" * 150_000, b"a: 1\n" * 90_000, b"&a [" * 100_000, b'"' + b"\n" * 400_000,
        b"? " * 200_000, b"[a, " * 100_000, b"rules: [" + b"a," * 200_000 + b"]", b"x" * 600_000, b"\n" * 490_000,
        b"rules:\n" + b"".join(b"- {on: x, match: {}, id: a%d, witihn: 3}\n" % i for i in range(10_000)),
        b"rules:\n- {id: a, on: x, match: {}, where: " + b"(" * 9_000 + b"}",
        b"rules:\n- {id: a, match: {}, on: '" + b"*a" * 500 + b"'}",
    ],
    ids=lambda raw: f"{raw[:8]!r}…",
)  # fmt: skip
def test_a_hostile_file_is_answered_within_a_second(raw):
    import time

    started = time.process_time()
    loaded(raw)
    assert time.process_time() - started < 1.0
