"""At load: what is an expression, and what the message says where it is none."""

import pytest

from rule_engine.expressions import ExpressionSyntaxError, compile_expression, parse, walk


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("(1 + 2) * 3", 9),
        ("7 - 2 - 1", 4),
        ("1 < 2 == true", True),
        ("true || false && false", True),
        ("!true || true", True),
        ("true ? 1 : false ? 2 : 3", 1),
        ("false ? 1 : false ? 2 : 3", 3),
        ("1 in [1] in [true]", True),
        ("-1 + 2", 1),
        ("1--1", 2),
        ("1 -1", 0),
        ("--1", 1),
        ("!!true", True),
        ("!!!true", False),
        ("- 9223372036854775808", -(2**63)),
        ("0x10", 16),
        ("-0xff", -255),
        ("0777", 777),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1.5E-1", 0.15),
        ("[1, 2,]", [1, 2]),
        ("[,]", []),
        ("{'a': 1,}", {"a": 1}),
        ("{,}", {}),
        ("1 // one", 1),
        ("'a' // 'b'\n + 'c'", "ac"),
        ("'''a'b\n'''", "a'b\n"),
        ('"""a"b"""', 'a"b'),
        (r"r'\d\'", "\\d\\"),
        (r'R"\n"', "\\n"),
        (r"'''\''''", "'"),
        (r"'\a\b\f\n\r\t\v\\\?\"\'\`'", "\a\b\f\n\r\t\v\\?\"'`"),
        (r"'\x41\X41\u0041\U0001F600\101'", "AAA😀A"),
        ("''", ""),
        ("'// no comment'", "// no comment"),
    ],
)
def test_grammar_is_cels(value_of, source, value):
    result = value_of(source)
    assert (type(result), result) == (type(value), value)


@pytest.mark.parametrize(
    ("source", "offset", "words"),
    [
        ("", 0, "expected an expression, found the end"),
        ("1 +", 3, "expected an expression, found the end"),
        ("1 1", 2, "expected an operator or the end, found '1'"),
        ("(1", 2, "expected ')'"),
        ("[1, 2", 5, "expected ']'"),
        ("size(1,)", 7, "expected an expression, found ')'"),
        ("{'a'}", 4, "expected ':'"),
        ("true ? true ? 1 : 2 : 3", 12, "expected ':'"),
        ("'a", 0, "no closing '"),
        ("'a\nb'", 0, "no closing '"),
        (r"'ab\s'", 3, r"\s is no escape"),
        (r"'\ud800'", 1, "is no escape"),
        (r"'\400'", 1, "is no escape"),
        ("a ? b", 5, "expected ':'"),
        ("data.", 5, "a field's name"),
        ("data.in", 5, "['in']"),
        ("for", 0, "reserved word"),
        ("-!true", 1, "expected a value"),
        ("1.5.5", 3, "expected an operator or the end"),
        ("1a", 1, "expected an operator or the end"),
        ("9223372036854775808", 0, "64 bits"),
        ("@", 0, "unexpected character '@'"),
        ("data.é", 5, "unexpected character 'é'"),
        # the nearest right word
        ("dta.amount > 1", 0, "unknown name 'dta'; did you mean 'data'?"),
        ("1 + amount", 4, "unknown name 'amount'; did you mean 'data.amount'?"),
        ("True", 0, "did you mean 'true'?"),
        ("data.x == None", 10, "did you mean 'null'?"),
        ("data.x and data.y", 7, "did you mean '&&'?"),
        ("data.x = 1", 7, "did you mean '=='?"),
        ("data.x & 1", 7, "did you mean '&&'?"),
        ("data?.x", 5, "a.?b"),
        ("data.x.startWith('a')", 7, "unknown function 'startWith'; did you mean 'startsWith'?"),
        ("len(data.x)", 0, "did you mean 'size'?"),
        ("startsWith(data.x, 'a')", 0, "after its value"),
        ("data.x.timestamp()", 7, "before its value"),
        # arguments
        ("size()", 0, "size() takes 1 argument, here are 0"),
        ("data.x.startsWith()", 7, "startsWith() takes 1 argument, here are 0"),
        ("data.x.split(',', 1, 2)", 7, "split() takes 1 or 2 arguments, here are 3"),
        ("math.least()", 0, "at least 1 argument"),
        ("data.x.all(y)", 7, "all() takes 2 arguments, here are 1"),
        ("data.x.all(y.z, true)", 11, "a plain name"),
        ("has(data)", 4, "has(a.b)"),
        ("has(data['x'])", 4, "has(a.b)"),
        ("has(data.?x)", 4, "has(a.b)"),
        ("cel.bind(1, 2, 3)", 9, "a plain name"),
        # a name that a macro binds is known in its body alone
        ("[1].all(x, true) && x", 20, "unknown name 'x'"),
        ("x.map(x, x)", 0, "unknown name 'x'"),
    ],
)
def test_error_names_the_place_what_was_expected_and_the_nearest_word(source, offset, words):
    with pytest.raises(ExpressionSyntaxError) as caught:
        compile_expression(source)
    assert words in caught.value.message
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    "source",
    ["42u", "b'x'", 'B"x"', "type(1)", "dyn(1)", "uint(1)", "bytes('a')", "Foo{}", "a.b{c: 1}", "data.`a-b`",
     "optional.of(1)", "data.?x.optMap(y, y)", "[?data.?x]", "{?'a': data.?x}", "math.sqrt(4)", "'a'.format([])",
     "'a'.charAt(0)", "strings.quote('a')", "[1].sort()", ".data", "data.x.y()", "data[0](1)", "google.protobuf"],
)  # fmt: skip
def test_what_is_left_out_of_cel_does_not_compile(source):
    with pytest.raises(ExpressionSyntaxError):
        compile_expression(source)


def test_a_variable_is_known_only_where_it_is_given():
    with pytest.raises(ExpressionSyntaxError, match="'previous' is not known here, only event, data"):
        compile_expression("data.x > previous.x", ("event", "data"))
    with pytest.raises(ExpressionSyntaxError, match="'value' is not known here"):
        compile_expression("value > 1")
    assert compile_expression("value > 1", ("value",)).variables == {"value"}


def test_the_text_of_every_node_is_an_expression_of_its_own():
    source = "(data.a + 1) * -data.b > 2 || !has(data.c.d) && data.l[?0].orValue({'k': [1]})['k'] == (true ? 1 : 2)"
    for node in walk(parse(source)):
        part = source[node.offset : node.end]
        assert type(parse(part)) is type(node), part
    assert {source[node.offset : node.end] for node in walk(parse(source))} >= {
        "(data.a + 1)",
        "-data.b",
        "data.c",
    }
