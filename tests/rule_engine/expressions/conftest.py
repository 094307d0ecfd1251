from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rule_engine.expressions import VARIABLES, EvaluationError, compile_expression

NOW = datetime(2026, 1, 3, 12, 0, tzinfo=UTC)


@pytest.fixture
def value_of() -> Callable[..., Any]:
    """The value of an expression over `data` and further variables; an EvaluationError goes through."""

    def evaluate(source: str, data: Any = None, **others: Any) -> Any:
        variables = {"event": {}, "data": data or {}, "customer": {}, "now": NOW, "previous": {}, **others}
        return compile_expression(source, VARIABLES).evaluate(**variables)

    return evaluate


@pytest.fixture
def error_of(value_of) -> Callable[..., str]:
    """The message of the error in which an expression ends."""

    def evaluate(source: str, data: Any = None, **others: Any) -> str:
        with pytest.raises(EvaluationError) as caught:
            value_of(source, data, **others)
        return caught.value.message

    return evaluate
