"""What operators, fields and optionals do, sentence by sentence of the rule language."""

import math

import pytest

from rule_engine.expressions import compile_expression

INT_MAX, INT_MIN = 2**63 - 1, -(2**63)
DATA = {
    "i": 1, "f": 2.5, "z": None, "s": "héllo", "b": True, "l": [1, 2.0, "x"], "m": {"a": 1, "n": None},
    "nan": math.nan, "big": 10**30, "bigger": 10**30 + 1, "edge": 2**63, "below": -(2**63) - 1, "items": [{"p": 1}, {"p": 2}, {}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "value"),
    [
        # a number without fraction and exponent that fits 64 bits is an int, any other a double
        ("data.big == 1e30", True),
        ("data.big + 1", 1e30),
        ("data.big", 1e30),
        ("data.edge", 2.0**63),
        ("data.big == data.bigger && [data.big] == [data.bigger] && !(data.big < data.bigger)", True),
        ("data.below == -9223372036854775808", True),
        ("data.edge == 9223372036854775808.0", True),
        ("data.edge > 9223372036854775807", True),
        ("string(data.big)", "1e+30"),
        # + - * / of an int and a double computes in doubles, and they compare exactly
        ("data.i + 1.5", 2.5),
        ("3 / 2.0", 1.5),
        ("2 * data.f", 5.0),
        ("1 - 0.5", 0.5),
        ("1 == 1.0", True),
        ("9007199254740993 == 9007199254740992.0", False),
        ("9007199254740993 > 9007199254740992.0", True),
        ("9223372036854775807 < 9223372036854775808.0", True),
        # int division truncates toward zero
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 / -2", -3),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        # doubles divide by zero as IEEE 754 has it
        ("1.0 / 0.0", math.inf),
        ("-1 / 0.0", -math.inf),
        ("1.0 / -0.0", -math.inf),
        ("1e308 * 10.0", math.inf),
        # == never fails; values of different types are unequal, true is not 1, NaN equals nothing
        ("true == 1", False),
        ("data.b == 1", False),
        ("1 == data.b", False),
        ("data.b == 1.0", False),
        ("data.i == true", False),
        ("false == 0", False),
        ("data.i != true", True),
        ("'1' == 1", False),
        ("null == false", False),
        ("data.z == null", True),
        ("data.i != null", True),
        ("data.l == null", False),
        ("data.nan == data.nan", False),
        ("data.nan != data.nan", True),
        ("[data.nan] == [data.nan]", False),
        ("data.m == data.m", True),
        ("[1, [true]] == [1.0, [true]]", True),
        ("[1] == [true]", False),
        ("[1] == [1, 2]", False),
        ("{'a': 1} == {'a': 1.0}", True),
        ("{'a': 1} == {'b': 1}", False),
        ("{1: 'a', true: 'b'} == {true: 'b', 1: 'a'}", True),
        ("{1: 'a'} == {true: 'a'}", False),
        ("now == 1", False),
        ("data.?x == data.?y", True),
        ("data.?i == data.?i", True),
        ("data.?i == 1", False),
        ("data.?z == data.?x", False),
        # nor `in` a list or map
        ("1 in [1.0]", True),
        ("true in [1]", False),
        ("data.i in ['a', 1]", True),
        ("data.s in ['héllo', 'x']", True),
        ("data.i in ['1']", False),
        ("data.i in [1.0, 2.0]", True),
        ("data.f in [2, 2.5, 'x']", True),
        ("data.b in [1]", False),
        ("data.big in [1, 2]", False),
        ("data.l in [1, 'a']", False),
        ("data.b in [true, 1]", True),
        ("data.z in ['a', null]", True),
        ("data.z in ['a', 1]", False),
        ("data.nan in [data.nan]", False),
        ("null in data.m", False),
        ("[1] in data.m", False),
        ("'a' in data.m", True),
        ("'n' in data.m", True),
        ("1.0 in {1: 2}", True),
        ("true in {1: 2}", False),
        ("0.5 in {1: 2}", False),
        # < works within numbers, strings, bools
        ("1 < 1.5", True),
        ("'a' < 'B'", False),
        (r"'\U0001F600' > '\uFF5E'", True),
        ("false < true", True),
        ("data.nan < 1.0 || data.nan >= 1.0", False),
        # a field that is null is there
        ("has(data.z)", True),
        ("has(data.x)", False),
        ("data.z", None),
        # a.?b and a[?k] are none if a is null or cannot have it
        ("data.?x.orValue(7)", 7),
        ("data.?i.orValue(7)", 1),
        ("data.?z.orValue(7)", None),
        ("data.?z.?a.orValue(7)", 7),
        ("data.?s.?a.hasValue()", False),
        ("data.z.?a.hasValue()", False),
        ("data.z[?0].hasValue()", False),
        ("data.l[?0].orValue(7)", 1),
        ("data.l[?3].orValue(7)", 7),
        ("data.l[?-1].hasValue()", False),
        ("data.l[?'a'].hasValue()", False),
        ("data.m[?null].hasValue()", False),
        ("data[?'m'].?a.orValue(7)", 1),
        ("data.?m.a.orValue(7)", 1),
        ("data.?m.x.hasValue()", False),
        ("data.?x.y.z.hasValue()", False),
        ("data.?m['a'].orValue(7)", 1),
        ("data.?l[0].orValue(7)", 1),
        ("has(data.?x.y)", False),
        ("has(data.?m.a)", True),
        ("data.?i.orValue(1 / 0)", 1),
        # indexing
        ("data.l[1]", 2.0),
        ("data.l[1.0]", 2.0),
        ("data['i']", 1),
        ("data.items[1].p", 2),
        ("{1: 'a'}[1.0]", "a"),
        ("{true: 'a', 1: 'b'}[true]", "a"),
        ("{true: 'a', 1: 'b'}[1]", "b"),
        # && and || absorb an error where the other side decides
        ("true || data.x", True),
        ("data.x || true", True),
        ("data.x && false", False),
        ("false && data.x", False),
        ("data.x > 1 || data.i == 1", True),
        ("data.s < 1 && data.i == 2", False),
        ("'a' || true", True),
        ("1 && false", False),
        ("(data.x || data.y) || true", True),
        ("data.x && data.y && false", False),
        ("true ? 1 : data.x", 1),
        ("false ? data.x : 1", 1),
        # concatenation
        ("'a' + data.s", "ahéllo"),
        ("[1] + data.l", [1, 1, 2.0, "x"]),
        # macros
        ("data.l.all(e, e == 1)", False),
        ("[1, 2].all(x, x > 0)", True),
        ("[].all(x, data.x)", True),
        ("[1, 'a'].all(x, x > 5)", False),
        ("['a', 1].exists(x, x > 0)", True),
        ("[].exists(x, true)", False),
        ("[1, 2, 3].exists_one(x, x > 2)", True),
        ("[1, 2, 3].exists_one(x, x > 1)", False),
        ("data.items.filter(e, has(e.p)).map(e, e.p)", [1, 2]),
        ("[1, 2, 3].map(x, x > 1, x * 2)", [4, 6]),
        ("[1, 2].map(x, [10, 20].map(y, x + y))", [[11, 21], [12, 22]]),
        ("[1].map(x, [2].map(x, x))", [[2]]),
        ("[1].map(data, data + 1)", [2]),
        ("data.m.all(k, k in ['a', 'n'])", True),
        ("{true: 1}.map(k, !k)", [False]),
        ("{'a': 1}.map(k, k)", ["a"]),
        ("data.items.exists(e, e.?p.orValue(0) == data.i)", True),
        ("cel.bind(x, data.i + 1, x * x)", 4),
        ("cel.bind(x, 1 / 0, true || x)", True),
        ("cel.bind(x, 1, [2, 3].map(y, cel.bind(z, x + y, z * z)))", [9, 16]),
        # JSON knows keys of strings alone
        ("{1: 'a', true: 'b', 'c': null}", {"1": "a", "true": "b", "c": None}),
    ],
)  # fmt: skip
def test_value(value_of, source, value):
    result = value_of(source, DATA)
    assert (type(result), result) == (type(value), value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("data.x", "no such key: x"),
        ("data['x']", "no such key: x"),
        ("data.x.y", "no such key: x"),
        ("data.s.x", "no such key: x (string has none)"),
        ("data.z.x", "no such key: x (null has none)"),
        ("data.x.?y", "no such key: x"),
        ("has(data.x.y)", "no such key: x"),
        ("has(data.z.y)", "no such key: y (null has none)"),
        ("has(data.l.y)", "no such key: y (list has none)"),
        ("data.?z.x.hasValue()", "no such key: x (null has none)"),
        ("data.l[3]", "no such index: 3 (the list has 3)"),
        ("data.l[-1]", "no such index: -1 (the list has 3)"),
        ("data.l[0.5]", "no such overload: list[double]"),
        ("data.l[true]", "no such overload: list[bool]"),
        ("data.s[0]", "no such overload: string[int]"),
        ("data.m[1]", "no such key"),
        ("data.m[data.s]", "no such key"),
        ("{1: 2}[true]", "no such key"),
        ("{1: 1, 1: 2}", "a map's key given twice"),
        ("{1.5: 1}", "a map's key is a string, an int or a bool, not double"),
        ("{null: 1}", "a map's key is a string, an int or a bool, not null"),
        ("data.i < data.s", "no such overload: int < string"),
        ("data.i < 'a'", "no such overload: int < string"),
        ("true > 0", "no such overload: bool > int"),
        ("data.b >= 1", "no such overload: bool >= int"),
        ("null <= null", "no such overload: null <= null"),
        ("[1] < [2]", "no such overload: list < list"),
        ("now < duration('1s')", "no such overload: timestamp < duration"),
        ("data.z > 1", "no such overload: null > int"),
        ("data.big < 'a'", "no such overload: double < string"),
        ("1 + 'a'", "no such overload: int + string"),
        ("data.b + 1", "no such overload: bool + int"),
        ("'a' * 2", "no such overload: string * int"),
        ("5.0 % 2.0", "no such overload: double % double"),
        ("5 % data.f", "no such overload: int % double"),
        ("-data.s", "no such overload: -string"),
        ("-data.b", "no such overload: -bool"),
        ("!data.i", "no such overload: !int"),
        ("'a' in 'abc'", "no such overload: string in string"),
        ("'a' in null", "no such overload: string in null"),
        ("9223372036854775807 + data.i", "integer overflow"),
        ("-9223372036854775808 - 1", "integer overflow"),
        ("9223372036854775807 * 2", "integer overflow"),
        ("-9223372036854775808 / -1", "integer overflow"),
        ("-9223372036854775808 % -1", "integer overflow"),
        ("-(-9223372036854775808)", "integer overflow"),
        ("data.i / 0", "division by zero"),
        ("5 % 0", "modulus by zero"),
        ("data.x || false", "no such key: x"),
        ("false || data.x", "no such key: x"),
        ("data.x && true", "no such key: x"),
        ("data.x || data.s < 1", "no such key: x"),
        ("'a' || false", "no such overload: string || bool"),
        ("true && 1", "no such overload: bool && int"),
        ("data.i ? 1 : 2", "no such overload: int ? … : …"),
        ("data.x ? 1 : 2", "no such key: x"),
        ("data.x == 1", "no such key: x"),
        ("data.x == null", "no such key: x"),
        ("data.x != 'a'", "no such key: x"),
        ("data.x in ['a']", "no such key: x"),
        ("data.x in [1, 'a']", "no such key: x"),
        ("data.x in [null, 'a']", "no such key: x"),
        ("data.x in data.l", "no such key: x"),
        ("data.x in []", "no such key: x"),
        ("[1, data.x]", "no such key: x"),
        ("{'a': data.x}", "no such key: x"),
        ("data.i.orValue(1)", "no such overload: int.orValue(…)"),
        ("data.i.hasValue()", "no such overload: int.hasValue()"),
        ("data.?x.orValue(data.y)", "no such key: y"),
        ("data.?i + 1", "no such overload: optional + int"),
        ("size(data.?i)", "no such overload: size(optional)"),
        ("data.?i", "an optional is no value: end with .orValue(…) or .hasValue()"),
        ("[data.?i]", "an optional is no value: end with .orValue(…) or .hasValue()"),
        ("[1, 'a'].all(x, x > 0)", "no such overload: string > int"),
        ("['a', 1].exists(x, x > 3)", "no such overload: string > int"),
        ("[1].exists(x, x)", "no such overload: bool || int"),
        ("[1, 'a'].exists_one(x, x > 0)", "no such overload: string > int"),
        ("[1].filter(x, x)", "no such overload: filter by int"),
        ("[1].map(x, x, x)", "no such overload: map by int"),
        ("[1, 0].map(x, 1 / x)", "division by zero"),
        ("'abc'.map(x, x)", "no such overload: string.map(…)"),
        ("data.z.all(x, true)", "no such overload: null.all(…)"),
        ("data.x.all(x, true)", "no such key: x"),
        ("cel.bind(x, 1 / 0, x)", "division by zero"),
    ],
)  # fmt: skip
def test_error(error_of, source, message):
    assert error_of(source, DATA) == message


@pytest.mark.parametrize("zero", ["0.0 / 0.0", "data.nan + 1", "double('NaN')"])
def test_nan(value_of, zero):
    assert math.isnan(value_of(zero, DATA))


def test_data_that_is_no_map_is_an_error_not_a_crash(error_of):
    for data in (["amount"], "amount", 5, 1.5):
        assert error_of("data.amount > 1", data).startswith("no such key: amount")


def test_a_result_is_the_callers_own():
    data = {"l": [1]}
    for source in ("'a,b'.split(',')", "[data.l, data.l]", "data.l + []", "cel.bind(x, [1], [x, x])"):
        expression = compile_expression(source)
        first = expression.evaluate({}, data, {}, None, {})
        untouched = str(first)
        first[0] = first[-1]
        first.append(2)
        assert str(expression.evaluate({}, data, {}, None, {})) == untouched
    assert data == {"l": [1]}
