"""docs/operations.md and docker-compose.yml name the settings that the services have, no others, and their defaults."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic_settings import BaseSettings

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("signal_ingest", "rule_engine", "notifier", "ticket_api")


def settings_of(service: str) -> type[BaseSettings]:
    found: type[BaseSettings] = import_module(f"{service}.config").Settings
    return found


def shown(default: Any) -> str:
    text = "" if default is None or default == frozenset() else str(default)
    return f"`{text}`" if text else "–"


def rows_by_code() -> dict[str, tuple[str, str]]:
    """Default and services of each variable, as the table writes them."""
    defaults: dict[str, dict[str, str]] = {}
    for service in SERVICES:
        for name, field in settings_of(service).model_fields.items():
            default = "required" if field.is_required() else shown(field.get_default())
            defaults.setdefault(f"BEFOREHAND_{name.upper()}", {})[service] = default
    return {
        name: (" · ".join(dict.fromkeys(of.values())), "all" if len(of) == len(SERVICES) else ", ".join(of))
        for name, of in defaults.items()
    }


def test_the_table_has_each_setting_with_its_default_its_services_and_a_meaning() -> None:
    table = (ROOT / "docs/operations.md").read_text().partition("## All settings")[2]
    rows = re.findall(r"^\| `(BEFOREHAND_\w+)` \| (.+?) \| (.+?) \| (.+) \|$", table, re.MULTILINE)
    assert {name: (default, of) for name, default, of, _ in rows} == rows_by_code()
    assert len(rows) == len(rows_by_code())  # none of them twice
    assert all(meaning.strip() for *_, meaning in rows)


@pytest.mark.parametrize("service", SERVICES)
def test_the_services_own_help_says_what_each_setting_means(service: str) -> None:
    helped = subprocess.run(
        [sys.executable, "-m", service, "--help"], capture_output=True, text=True, check=True
    )
    told = dict(
        re.findall(r"^  (BEFOREHAND_\w+) +(\S.+) \((?:default: .+|required)\)$", helped.stdout, re.MULTILINE)
    )
    assert told.keys() == {f"BEFOREHAND_{name.upper()}" for name in settings_of(service).model_fields}
    assert "None" not in told.values()
    assert "Exit codes: 0 told to stop" in helped.stdout
    wrong = subprocess.run([sys.executable, "-m", service, "serve"], capture_output=True, check=False)
    assert wrong.returncode == 2


@pytest.mark.parametrize("service", SERVICES)
def test_a_level_is_taken_in_any_case(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEFOREHAND_INGEST_KEYS_FILE", "keys.json")
    monkeypatch.setenv("BEFOREHAND_LOG_LEVEL", "WARNING")
    assert settings_of(service)().model_dump()["log_level"] == "warning"


@pytest.mark.parametrize("service", SERVICES)
def test_compose_tells_a_service_only_what_it_has_a_setting_for(service: str) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    told = set(compose["services"][service.replace("_", "-")]["environment"])
    assert told <= {f"BEFOREHAND_{name.upper()}" for name in settings_of(service).model_fields}


def test_the_settings_named_in_the_documentation_exist() -> None:
    named = set(re.findall(r"BEFOREHAND_[A-Z_]+", (ROOT / "docs/operations.md").read_text()))
    assert named == set(rows_by_code())
