"""The macros at run time: each runs a compiled body for the elements of a list or the keys of a map.

Every run is taken from the evaluation's budget; when that is used up the macro is an error value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rule_engine.expressions.operators import no_conjunction, no_disjunction
from rule_engine.expressions.values import Failure, Meter, key_value, mismatch

Body = Callable[[Any], Any]
TOO_MANY_RUNS = Failure("more than 10,000 runs of a macro's body")


def for_all(container: Any, body: Body, meter: Meter) -> bool | Failure:
    """As `&&` over the runs: false where one is, whatever the others."""
    elements = _elements(container, "all")
    if elements.__class__ is Failure:
        return elements
    result: bool | Failure = True
    for element in elements:
        outcome = _run(body, element, meter)
        if outcome is False or outcome is TOO_MANY_RUNS:
            return outcome
        if outcome is not True:
            result = no_conjunction(result, outcome)
    return result


def exists(container: Any, body: Body, meter: Meter) -> bool | Failure:
    """As `||` over the runs: true where one is, whatever the others."""
    elements = _elements(container, "exists")
    if elements.__class__ is Failure:
        return elements
    result: bool | Failure = False
    for element in elements:
        outcome = _run(body, element, meter)
        if outcome is True or outcome is TOO_MANY_RUNS:
            return outcome
        if outcome is not False:
            result = no_disjunction(result, outcome)
    return result


def exists_one(container: Any, body: Body, meter: Meter) -> bool | Failure:
    chosen = keep(container, body, meter, "exists_one")
    return chosen if chosen.__class__ is Failure else len(chosen) == 1


def keep(container: Any, body: Body, meter: Meter, name: str = "filter") -> Any:
    """`filter`: the elements for which the body is true, an error where it is no bool."""
    elements = _elements(container, name)
    if elements.__class__ is Failure:
        return elements
    chosen = []
    for element in elements:
        outcome = _run(body, element, meter)
        if outcome is True:
            chosen.append(element)
        elif outcome is not False:
            return mismatch(f"{name} by {{}}", outcome)
    return chosen


def transform(container: Any, body: Body, meter: Meter, condition: Body | None = None) -> Any:
    """`map`: the body's value for each element, with a condition for those where it is true."""
    elements = _elements(container, "map")
    if elements.__class__ is Failure:
        return elements
    results = []
    for element in elements:
        chosen = True if condition is None else _run(condition, element, meter)
        if chosen is False:
            continue
        if chosen is not True:
            return mismatch("map by {}", chosen)
        # With a condition, both are one run.
        outcome = _run(body, element, meter) if condition is None else body(element)
        if outcome.__class__ is Failure:
            return outcome
        results.append(outcome)
    return results


MACROS: dict[str, Callable[..., Any]] = {
    "all": for_all,
    "exists": exists,
    "exists_one": exists_one,
    "filter": keep,
    "map": transform,
}


def _elements(container: Any, name: str) -> Any:
    if container.__class__ is list:
        return container
    if container.__class__ is dict:
        return [key_value(key) for key in container]
    return mismatch(f"{{}}.{name}(…)", container)


def _run(body: Body, element: Any, meter: Meter) -> Any:
    meter.runs -= 1
    return body(element) if meter.runs >= 0 else TOO_MANY_RUNS
