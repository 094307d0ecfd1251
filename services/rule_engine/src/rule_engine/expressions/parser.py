"""Text to tree: CEL's grammar, its macros and the names and argument counts of its functions.

Whether a variable exists depends on where the expression stands and is checked when it is compiled.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from rule_engine.expressions.errors import ExpressionSyntaxError, did_you_mean
from rule_engine.expressions.functions import FUNCTIONS, METHODS, Signature
from rule_engine.expressions.lexer import Token, tokenize
from rule_engine.expressions.nodes import (
    Binary,
    Bind,
    Call,
    Conditional,
    Has,
    Index,
    ListLiteral,
    Literal,
    Logical,
    Macro,
    MapLiteral,
    Node,
    Select,
    Unary,
    Variable,
)

MAX_NESTING = 64
TOO_DEEP = "too many operations inside each other"


def parse(source: str) -> Node:
    """The tree of `source`.

    Raises ExpressionSyntaxError for what is no expression, unknown functions, wrong argument counts, more than
    10,000 characters, or more than 64 brackets or calls inside each other.
    """
    parser = _Parser(tokenize(source))
    try:
        node = parser.expression()
    except RecursionError:
        raise ExpressionSyntaxError(TOO_DEEP, 0) from None
    parser.finish()
    return node


_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
RESERVED = frozenset(
    [
        *_CONSTANTS,
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "in",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_BINDING_POWER = {
    "||": 1, "&&": 2,
    "==": 3, "!=": 3, "<": 3, "<=": 3, ">": 3, ">=": 3, "in": 3,
    "+": 4, "-": 4,
    "*": 5, "/": 5, "%": 5,
}  # fmt: skip
_NAMESPACES = frozenset(name.partition(".")[0] for name in FUNCTIONS if "." in name) | {"cel"}
_MACROS: dict[str, Signature] = {
    "all": Signature(2, 2),
    "exists": Signature(2, 2),
    "exists_one": Signature(2, 2),
    "map": Signature(2, 3),
    "filter": Signature(2, 2),
}
_INT_MAX = 2**63 - 1


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._nesting = 0

    def finish(self) -> None:
        token = self._tokens[self._at]
        if token.kind != "end":
            self._fail("expected an operator or the end", token)

    def expression(self) -> Node:
        """A condition with its branches, or what binds tighter. Chains of `? :` are read without recursion."""
        begun: list[tuple[int, Node, Node]] = []
        while True:
            offset = self._tokens[self._at].offset
            node = self._operation(1)
            if not self._skip("?"):
                break
            if self._tokens[self._at].text == ".":
                self._fail("expected an expression after '?' (an optional field is written a.?b)")
            then = self._operation(1)
            self._expect(":")
            begun.append((offset, node, then))
        for offset, test, then in reversed(begun):
            node = Conditional(offset, node.end, test, then, node)
        return node

    def _operation(self, least_power: int) -> Node:
        offset = self._tokens[self._at].offset
        left = self._unary()
        while True:
            token = self._tokens[self._at]
            operator = token.text
            power = _BINDING_POWER.get(operator, 0) if token.kind in {"operator", "name"} else 0
            if power < least_power:
                return left
            self._at += 1
            right = self._operation(power + 1)
            end = self._tokens[self._at - 1].end
            if operator in {"&&", "||"}:
                operands = [left, right]
                while self._skip(operator):
                    operands.append(self._operation(power + 1))
                end = self._tokens[self._at - 1].end
                left = Logical(offset, end, operator, tuple(operands))
            else:
                left = Binary(offset, end, operator, left, right)

    def _unary(self) -> Node:
        """Signs in a row cancel in pairs, as in CEL; a minus belongs to the number that follows it."""
        sign = self._tokens[self._at]
        if sign.kind != "operator" or sign.text not in {"!", "-"}:
            return self._member()
        count = 0
        while self._skip(sign.text):
            count += 1
        following = self._tokens[self._at]
        if sign.text == "-" and count % 2 == 1 and following.kind in {"int", "double"}:
            return self._member(minus=sign)
        if self._is("!"):
            self._fail("expected a value after '-'")
        if self._skip("-"):
            if self._tokens[self._at].kind not in {"int", "double"}:
                self._fail("expected a number after '!-'")
            node = self._member(minus=following)
        else:
            node = self._member()
        return (
            Unary(sign.offset, node.end, sign.text, node) if count % 2 else replace(node, offset=sign.offset)
        )

    def _member(self, minus: Token | None = None) -> Node:
        offset = (minus or self._tokens[self._at]).offset
        node = self._primary(minus)
        while True:
            if self._skip("."):
                node = self._after_dot(offset, node)
            elif self._skip("["):
                optional = self._skip("?")
                self._enter()
                key = self.expression()
                self._leave("]")
                node = Index(offset, self._tokens[self._at - 1].end, node, key, optional)
            elif self._is("{") and isinstance(node, Variable | Select):
                self._fail("expected an operator or the end (there are no messages here)")
            elif self._is("("):
                self._fail("expected an operator or the end (only a name can be called)")
            else:
                return node

    def _after_dot(self, offset: int, target: Node) -> Node:
        optional = self._skip("?")
        name = self._name("a field's name")
        if self._is("(") and not optional:
            return self._method(offset, target, name)
        if name.text in {"true", "false", "null", "in"}:
            self._fail(f"expected a field's name, this word is CEL's own (write ['{name.text}'])", name)
        return Select(offset, name.end, target, name.text, optional)

    def _primary(self, minus: Token | None) -> Node:
        token = self._tokens[self._at]
        offset = (minus or token).offset
        if token.kind == "end":
            self._fail("expected an expression")
        self._at += 1
        if token.kind == "name":
            return self._named(token)
        match token.kind:
            case "int":
                value = int(token.text, 16 if token.text.startswith("0x") else 10)
                if value > _INT_MAX + (minus is not None):
                    raise ExpressionSyntaxError(
                        "this number is beyond 64 bits; write it with a fraction", offset
                    )
                return Literal(offset, token.end, -value if minus else value)
            case "double":
                number = float(token.text)
                return Literal(offset, token.end, -number if minus else number)
            case "string":
                return Literal(offset, token.end, token.text)
        match token.text:
            case "(":
                self._enter()
                node = self.expression()
                self._leave(")")
                return replace(node, offset=offset, end=self._tokens[self._at - 1].end)
            case "[":
                elements = self._items("]")
                return ListLiteral(offset, self._tokens[self._at - 1].end, tuple(elements))
            case "{":
                entries = self._entries()
                return MapLiteral(offset, self._tokens[self._at - 1].end, tuple(entries))
            case _:
                self._fail("expected an expression", token)
        return None

    def _named(self, token: Token) -> Node:
        if token.text in _CONSTANTS:
            return Literal(token.offset, token.end, _CONSTANTS[token.text])
        if token.text in RESERVED:
            raise ExpressionSyntaxError(f"{token.text!r} is a reserved word, not a name", token.offset)
        if self._is("("):
            return self._function(token, token.text)
        if token.text in _NAMESPACES and self._is(".") and self._tokens[self._at + 1].kind == "name":
            member = self._tokens[self._at + 1]
            if self._tokens[self._at + 2].text == "(":
                self._at += 2
                return self._function(token, f"{token.text}.{member.text}")
        return Variable(token.offset, token.end, token.text)

    def _function(self, token: Token, name: str) -> Node:
        if name == "has":
            return self._has(token)
        if name == "cel.bind":
            return self._bind(token)
        signature = FUNCTIONS.get(name)
        if signature is None:
            if name in METHODS or name in _MACROS:
                raise ExpressionSyntaxError(f"{name!r} is written after its value: x.{name}(…)", token.offset)
            hint = did_you_mean(name, (*FUNCTIONS, "has", "cel.bind"))
            raise ExpressionSyntaxError(f"unknown function {name!r}{hint}", token.offset)
        arguments = self._arguments(token, name, signature)
        return Call(token.offset, self._tokens[self._at - 1].end, name, None, arguments)

    def _method(self, offset: int, target: Node, name: Token) -> Node:
        macro = _MACROS.get(name.text)
        signature = macro or METHODS.get(name.text)
        if signature is None:
            if name.text in FUNCTIONS or name.text == "has":
                raise ExpressionSyntaxError(
                    f"{name.text!r} is written before its value: {name.text}(x)", name.offset
                )
            hint = did_you_mean(name.text, (*METHODS, *_MACROS))
            raise ExpressionSyntaxError(f"unknown function {name.text!r}{hint}", name.offset)
        arguments = self._arguments(name, name.text, signature)
        end = self._tokens[self._at - 1].end
        if macro is None:
            return Call(offset, end, name.text, target, arguments)
        variable = self._variable(arguments[0], name.text)
        condition = arguments[1] if len(arguments) == 3 else None
        return Macro(offset, end, name.text, target, variable, condition, arguments[-1])

    def _has(self, token: Token) -> Node:
        (field,) = self._arguments(token, "has", Signature(1, 1))
        if not isinstance(field, Select) or field.optional:
            raise ExpressionSyntaxError("has() takes a field: has(a.b)", field.offset)
        return Has(token.offset, self._tokens[self._at - 1].end, field.operand, field.field)

    def _bind(self, token: Token) -> Node:
        name, value, body = self._arguments(token, "cel.bind", Signature(3, 3))
        variable = self._variable(name, "cel.bind")
        return Bind(token.offset, self._tokens[self._at - 1].end, variable, value, body)

    def _variable(self, node: Node, macro: str) -> str:
        if not isinstance(node, Variable):
            raise ExpressionSyntaxError(f"{macro} takes a plain name here, for the variable", node.offset)
        return node.name

    def _arguments(self, token: Token, name: str, signature: Signature) -> tuple[Node, ...]:
        self._at += 1
        arguments = self._items(")", trailing_comma=False)
        if not signature.least <= len(arguments) <= signature.most:
            raise ExpressionSyntaxError(
                f"{name}() takes {signature}, here are {len(arguments)}", token.offset
            )
        return tuple(arguments)

    def _items(self, close: str, *, trailing_comma: bool = True) -> list[Node]:
        self._enter()
        items: list[Node] = []
        while not self._is(close):
            if trailing_comma and not items and self._is(","):
                self._at += 1
                break
            items.append(self.expression())
            if not self._skip(","):
                break
            if not trailing_comma and self._is(close):
                self._fail("expected an expression")
        self._leave(close)
        return items

    def _entries(self) -> list[tuple[Node, Node]]:
        self._enter()
        entries: list[tuple[Node, Node]] = []
        while not self._is("}"):
            if not entries and self._is(","):
                self._at += 1
                break
            key = self.expression()
            self._expect(":")
            entries.append((key, self.expression()))
            if not self._skip(","):
                break
        self._leave("}")
        return entries

    def _enter(self) -> None:
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            message = f"more than {MAX_NESTING} brackets or calls inside each other"
            raise ExpressionSyntaxError(message, self._tokens[self._at - 1].offset)

    def _leave(self, close: str) -> None:
        self._nesting -= 1
        self._expect(close)

    def _is(self, operator: str) -> bool:
        token = self._tokens[self._at]
        return token.kind == "operator" and token.text == operator

    def _skip(self, operator: str) -> bool:
        if self._is(operator):
            self._at += 1
            return True
        return False

    def _expect(self, operator: str) -> None:
        if not self._skip(operator):
            self._fail(f"expected {operator!r}")

    def _name(self, what: str) -> Token:
        token = self._tokens[self._at]
        if token.kind != "name":
            self._fail(f"expected {what}")
        self._at += 1
        return token

    def _fail(self, expected: str, token: Token | None = None) -> NoReturn:
        token = token or self._tokens[self._at]
        found = (
            "the end" if token.kind == "end" else "a string" if token.kind == "string" else f"{token.text!r}"
        )
        hint = did_you_mean(token.text, ()) if token.kind == "name" else ""
        raise ExpressionSyntaxError(f"{expected}, found {found}{hint}", token.offset)
