"""What of the language is not built yet stands at the end of each run of its tests."""

from pathlib import Path

import pytest
import yaml


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    elsewhere = yaml.safe_load((Path(__file__).parent / "elsewhere.yaml").read_text())
    reasons = elsewhere["not built yet"]
    if reasons:
        terminalreporter.section(f"rule language: {len(reasons)} clauses are not built yet")
        for quote, reason in reasons.items():
            terminalreporter.write_line(f"{quote} — {reason}")
