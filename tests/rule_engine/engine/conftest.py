"""How many examples hypothesis tries: BEFOREHAND_TEST_PROFILE=long for many more than `make test` has time for, and new ones
each time; `make test` takes the same ones, so that a change is judged by what it changed.
"""

import os
from typing import Any

from hypothesis import HealthCheck, settings
from reached import reached, table

_QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile(
    "engine", max_examples=80, derandomize=True, deadline=None, suppress_health_check=_QUIET
)
settings.register_profile(
    "engine-long", parent=settings.get_profile("engine"), max_examples=1_500, derandomize=False
)
LONG = os.environ.get("BEFOREHAND_TEST_PROFILE") == "long"
settings.load_profile("engine-long" if LONG else "engine")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if LONG and reached:
        terminalreporter.section("what the examples reached, and what came of it")
        for line in table():
            terminalreporter.write_line(line)
