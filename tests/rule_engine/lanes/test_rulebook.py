"""Which version of a rule file is valid, and what is said of the others."""

from datetime import UTC, datetime

from contracts.envelope import encode, event
from contracts.records import RuleFile
from rule_engine.rulebook import Rulebook
from rule_engine.rules.load import load_text

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def text(*rules: str) -> str:
    lines = [f"  - {{id: {rule}, title: T, on: order.placed, match: {{}}}}" for rule in rules]
    return "\n".join(["version: 1", "rules:", *lines])


def pushed(body: str, version: str = "v1") -> bytes:
    file = RuleFile("any", body, version, NOW, "test")
    return encode(event(id="1", source="/test", type="rules.pushed", time=NOW, data=file))


def valid(book: Rulebook) -> dict[str, list[str]]:
    return {name: [rule.id for rule in source.rules] for name, source in book.rules.good.items()}


def test_a_bad_version_leaves_the_last_good_one_and_says_why():
    book = Rulebook()
    book.take("a", pushed(text("one")), NOW)
    book.take("a", pushed("version: 1\nrulez: []", "v2"), NOW)
    assert valid(book) == {"a": ["one"]}
    status = book.statuses["a"]
    assert (status.version, status.taken) == ("v2", False)
    assert "rulez" in status.problems[0]
    book.take("a", b"no record of ours", NOW)
    assert valid(book) == {"a": ["one"]}
    book.take("a", None, NOW)
    assert valid(book) == {}
    assert book.statuses == {}


def test_an_id_belongs_to_one_file_until_that_lets_it_go():
    book = Rulebook()
    book.take("a", pushed(text("one", "two")), NOW)
    book.take("b", pushed(text("two")), NOW)
    assert not book.statuses["b"].taken
    assert "two" in book.statuses["b"].problems[0]
    book.take("a", pushed(text("one"), "v2"), NOW)
    assert valid(book) == {"a": ["one"], "b": ["two"]}
    assert book.statuses["b"].taken


def test_after_a_restart_a_clash_ends_as_it_did_before():
    """The topic is compacted: what was pushed first may stand last there."""
    before = Rulebook()
    before.take("a", pushed(text("one")), NOW)
    before.take("b", pushed(text("one")), NOW)
    before.take("a", pushed(text("one"), "v2"), NOW)
    after = Rulebook()
    newest = [("b", pushed(text("one"))), ("a", pushed(text("one"), "v2"))]
    after.begin(newest, before.statuses, NOW)
    assert valid(after) == valid(before) == {"a": ["one"]}


def test_after_a_restart_a_lane_goes_on_with_the_version_that_only_it_still_knows():
    book = Rulebook()
    book.begin([("a", pushed("version: 1\nrulez: []", "v2")), ("c", pushed(text("three")))], {}, NOW)
    known = {"a": load_text(text("one"), "a"), "b": load_text(text("two"), "b")}
    assert {name: source.text for name, source in book.rules.for_lane(known).items()} == {
        "a": text("one"), "c": text("three"),
    }  # fmt: skip
