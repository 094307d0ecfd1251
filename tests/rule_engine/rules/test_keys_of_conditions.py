"""Which keys a condition needs, and which comparators it takes: docs/rule-language.md, "Conditions"."""

import pytest

from rule_engine.rules.conditions import CONDITIONS
from rule_engine.rules.load import load_text
from rule_engine.rules.model import RuleFileError

# written by hand from the page: a key is required unless its default is named
REQUIRED = {
    "match": {},
    "event_count": {"gte": "3", "within": "10m"},
    "value_count": {"of": "data.card", "gte": "3", "within": "10m"},
    "ratio": {"of": "data.bad", "gte": "0.05", "within": "5m"},
    "aggregate": {"avg": "data.ms", "gt": "2000", "within": "5m"},
    "spike": {"within": "10m", "every": "1m", "factor": "3", "against": "{previous: 1h}"},
    "forecast": {"of": "data.used", "reaches": "data.quota", "in": "4d", "over": "6h", "every": "10m"},
    "flatline": {"within": "5m", "lt": "1"},
    "new_term": {"of": "data.country", "memory": "90d"},
    "sequence": {"maxspan": "15m", "steps": "[a, b]"},
    "absence": {"expect": "order.shipped", "within": "48h"},
    "reminder": {"at": "timestamp(data.at)", "before": "[7d]"},
}
COMPARATORS = {
    "event_count": {"gte"},
    "value_count": {"gte"},
    "ratio": {"gte"},
    "aggregate": {"gt", "gte", "lt", "lte"},
    "flatline": {"lt"},
}
EVERY = {"gt", "gte", "lt", "lte", "eq"}
NEEDED = [(word, key) for word in CONDITIONS for key in REQUIRED[word]]


def load(word, keys):
    body = ", ".join(f"{key}: {value}" for key, value in keys.items())
    on = "" if word == "sequence" else "on: order.placed, "
    return load_text(f"rules:\n  - {{id: r, {on}{word}: {{{body}}}}}\n", "f.yaml")


@pytest.mark.parametrize("word", CONDITIONS)
def test_these_keys_are_enough(word):
    assert len(load(word, REQUIRED[word]).rules) == 1


@pytest.mark.parametrize(("word", "key"), NEEDED)
def test_a_key_without_a_default_is_required(word, key):
    with pytest.raises(RuleFileError) as caught:
        load(word, {name: value for name, value in REQUIRED[word].items() if name != key})
    [problem] = caught.value.problems
    assert f"'{key}'" in problem.message or key in problem.message.replace(",", "").split()


@pytest.mark.parametrize(
    ("word", "comparator"), [(word, each) for word in CONDITIONS for each in sorted(EVERY)]
)
def test_comparators_are_those_shown(word, comparator):
    others = {name: value for name, value in REQUIRED[word].items() if name not in EVERY}
    if comparator in COMPARATORS.get(word, ()):
        load(word, others | {comparator: "1"})
    else:
        with pytest.raises(RuleFileError) as caught:
            load(word, others | {comparator: "1"})
        assert any(f"unknown key '{comparator}'" in problem.message for problem in caught.value.problems)
