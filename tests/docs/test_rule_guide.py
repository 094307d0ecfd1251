"""docs/rule-guide.md and docs/rule-cook-book.md show what is so: their rules load and pass their own tests, their commands say
what they are shown to say, and `check` answers their mistakes as the table has it.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from rule_engine.commands.side_by_side import side_by_side
from rule_engine.commands.trial import run_test
from rule_engine.rules.conditions import CONDITIONS
from rule_engine.rules.load import load_text
from rule_engine.rules.model import RuleFileError

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("rule-guide.md", "rule-cook-book.md")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


@dataclass(frozen=True, slots=True)
class Block:
    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.removesuffix('.md')}-{self.line}"


def blocks(page: str, language: str) -> list[Block]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])
        for found in FENCE.finditer(text)
        if found[1] == language
    ]


RULE_FILES = [
    block
    for page in PAGES
    for block in blocks(page, "yaml")
    if re.search("^rules:", block.text, re.MULTILINE)
]


@pytest.mark.parametrize("block", RULE_FILES, ids=str)
def test_a_rule_file_loads_and_passes_its_own_tests(block: Block) -> None:
    source = load_text(block.text, str(block))
    doubts = [
        f"{warning.place}: {warning.message}" for warning in source.warnings if warning.code != "unknown-type"
    ]
    assert not doubts
    assert {rule.id for rule in source.rules} == {rule for test in source.tests for rule in test.rules}
    assert all(any(test.expect for test in source.tests if rule.id in test.rules) for rule in source.rules)
    for test in source.tests:
        outcome = run_test(source, test)
        assert outcome.passed, f"{test.name}\n{side_by_side(outcome)}"


MISTAKES = [
    pytest.param(*found.groups(), id=f"{page}-{number}")
    for page in PAGES
    for number, found in enumerate(
        re.finditer(
            r"^\| (`.+`) \| (error|warning): (.+?) \|",
            (DOCS / page).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    )
]


def with_mistake(lines: list[str]) -> str:
    """A rule that is right, with these lines in the place of its own."""
    own = {line.partition(":")[0] for line in lines}
    rule = {"id": "id: late", "on": "on: payment.failed"}
    if not own & {*CONDITIONS, "steps"}:
        rule["condition"] = "match: {}"
    kept = [line for name, line in rule.items() if name not in own]
    return "rules:\n  - " + "\n    ".join([*kept, *lines]) + "\n"


@pytest.mark.parametrize(("written", "level", "said"), MISTAKES)
def test_check_says_of_a_mistake_what_the_guide_shows(written: str, level: str, said: str) -> None:
    text = with_mistake(re.findall(r"`([^`]+)`", written))
    try:
        problems = load_text(text, "rules.yaml").warnings
    except RuleFileError as error:
        problems = tuple(error.problems)
    answers = [f"{problem.level}: {problem.message}" for problem in problems]
    wanted = ".*".join(map(re.escape, f"{level}: {said}".replace("\\|", "|").split("…")))
    assert any(re.fullmatch(wanted, answer) for answer in answers), f"{text}\n{answers}"


def lasting(said: str) -> str:
    """Without times, and without versions, which a new word of the language changes."""
    return re.sub(
        r"(?:in [\d.]+ s|[\d,]+ a second|at once)$|version [0-9a-f]{16}", "…", said, flags=re.MULTILINE
    )


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_say_what_the_guide_shows(page: str, tmp_path: Path) -> None:
    for block in blocks(page, "yaml"):
        if named := re.match(r"# (\S+\.yaml)\n", block.text):
            (tmp_path / named[1]).write_text(block.text, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BEFOREHAND_")}
    for block in blocks(page, "console"):
        for shown in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
            command, _, said = shown.partition("\n")
            if made := re.fullmatch(r"cat (\S+)", command):
                (tmp_path / made[1]).write_text(said, encoding="utf-8")
                continue
            ran = subprocess.run(
                ["bash", "-c", f'beforehand() {{ "{sys.executable}" -m beforehand "$@"; }}; {command}'],
                cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=environment, timeout=60,
            )  # fmt: skip
            answer = "".join(f"{line.rstrip()}\n" for line in ran.stdout.splitlines())
            assert lasting(answer) == lasting(said), f"{block}: {command}"


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of the headings."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    for path, anchor in LINK.findall(FENCE.sub("", text)):
        target = DOCS / (path or page)
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"
