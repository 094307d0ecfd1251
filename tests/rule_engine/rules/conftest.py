"""The command line against a real broker."""

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from contracts.topics import ENGINE_STATUS, RULES, SIGNALS
from rule_engine.commands import rules


@pytest.fixture
def house(new_topics: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The topics that the command line meets, under a prefix that the environment names."""
    topics = new_topics(RULES, ENGINE_STATUS, SIGNALS)
    monkeypatch.setenv("BEFOREHAND_TOPIC_PREFIX", topics.prefix)
    monkeypatch.setenv("BEFOREHAND_KAFKA", topics.bootstrap)
    return topics


@pytest.fixture
def run(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `beforehand rules …` in an empty folder; `rules_text` becomes shop.yaml there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BEFOREHAND_TEMPLATES", raising=False)

    def invoke(*arguments: str, rules_text: str | None = None, stdin: bytes | str | None = None) -> Result:
        if rules_text is not None:
            (tmp_path / "shop.yaml").write_text(rules_text, encoding="utf-8")
        return CliRunner().invoke(rules, arguments, input=stdin, catch_exceptions=False)

    return invoke
