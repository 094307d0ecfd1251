"""Stages of the pipeline that need no broker to be seen."""

from datetime import UTC, datetime
from typing import Any

import pytest

from notifier.pipeline import Draft, Ended, Situation, wanted

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def draft(category: str) -> Draft:
    about: Any = None
    return Draft(
        id="m1", kind="firing", channel="email", recipient="c1", customer="c1", rule="r", template="t", category=category,
        expires_at=NOW, about=about, entry=None, profile=None, alert_state="firing", opted_out=True,
    )  # fmt: skip


@pytest.fixture
def situation() -> Situation:
    return Situation(
        now=NOW, pauses=(), channels=frozenset({"email"}), operations_email=None, critical_categories=frozenset({"safety"}),
        unsubscribe_url=lambda _: "https://shop.example/unsubscribe", write=lambda _: None,
    )  # fmt: skip


def test_nobody_opts_out_of_what_the_settings_declare_critical(situation: Situation) -> None:
    assert isinstance(wanted(draft("billing"), situation), Ended)
    critical = wanted(draft("safety"), situation)
    assert isinstance(critical, Draft)
    assert critical.unsubscribe_url is None
