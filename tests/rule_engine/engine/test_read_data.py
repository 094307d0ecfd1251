"""The engine reads no more of an event's data than rules use; nobody may see that."""

import json
from typing import Any

import pytest
from lanes import Lane, happened
from streams import START, S

from contracts.times import format_micros
from rule_engine.replay import Bytes
from rule_engine.rules.load import load_text


def lane(where: str, *more: str) -> Lane:
    lines = [
        "version: 1",
        "rules:",
        f"  - {{id: one, on: a, where: {json.dumps(where)}, match: {{}}}}",
        *more,
    ]
    return Lane({"f.yaml": load_text("\n".join(lines), "f.yaml")})


def saw(lane: Lane, data: str, type_name: str = "a", at_s: int = 0) -> list[Any]:
    """What happened after an event with this data, as JSON text; empty: without any."""
    time = format_micros(START + at_s * S)
    text = f'{{"specversion":"1.0","id":"{at_s}","source":"s","type":"{type_name}","time":"{time}","customerid":"c1"'
    lane.engine.run(
        [Bytes(f"{text}{data and ','}{data and chr(34) + 'data' + chr(34) + ':'}{data}}}".encode())]
    )
    lane.take()
    return happened(lane)


@pytest.mark.parametrize(
    ("where", "data"),
    [
        ("data.a.b == 1", '{"x": [1, {"a": 2}], "a": {"c": 2, "b": 1}}'),
        ("has(data.a) && !has(data.x)", '{"a": null, "y": 1}'),
        ("data.?a.orValue(7) == 7", '{"b": 1}'),
        ("data['a-b c'] == 'ä'", '{"a-b\\u0020c": "\\u00e4", "z": "\\u0000"}'),
        ("data[''] == 1", '{"": 1}'),
        ("data.a == 2", '{"a": 1, "a": 2}'),
        ("size(data) == 2", '{"a": 1, "b": 2}'),
        ("data.exists(name, name == 'b')", '{"a": 1, "b": 2}'),
        ("'b' in data && data.a == 1", '{"a": 1, "b": 2}'),
        ("data == {'a': 1}", '{"a": 1}'),
        ("data[data.name] == 5", '{"name": "other", "other": 5}'),
        ("data[0].a == 1", '[{"a": 1}]'),
        ("data == 'text'", '"text"'),
        ("!has(data.a)", ""),
        ("!has(data.a)", "null"),
        ("cel.bind(d, data, d.a == 1)", '{"a": 1}'),
        ("[1].all(data, data == 1)", '{"a": 1}'),
    ],
)
def test_every_way_to_read_a_field(where: str, data: str) -> None:
    assert saw(lane(where), data) == [(0, "firing")]


def test_rules_of_one_type_may_read_different_fields() -> None:
    both = lane("data.a == 1", "  - {id: two, on: a, where: data.b == 2, match: {}}")
    assert saw(both, '{"a": 1, "b": 2}') == [(0, "firing"), (0, "firing")]


def test_what_is_kept_for_later_has_the_fields_that_a_new_version_asks_for() -> None:
    absent = "  - {{id: two, on: a, absence: {{expect: e, within: 5s}}, vars: {{said: data.{field}}}}}"
    each = lane("false", absent.format(field="a"))
    saw(each, '{"a": 1, "b": 2}')
    each.engine.adopt(lane("false", absent.format(field="b")).engine.machine.files)
    each.until(START + 6 * S)
    assert [transition.vars for transition in each.transitions] == [{"said": 2}]


def test_a_profile_is_remembered_whole() -> None:
    vip = lane("customer.plan == 'vip'")
    assert saw(vip, '{"plan": "vip"}', "customer.updated") == []
    assert saw(vip, "{}", at_s=1) == [(1, "firing")]
