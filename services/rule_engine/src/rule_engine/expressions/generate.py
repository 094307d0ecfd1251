"""Nodes to statements.

Each operation becomes a statement `t3 = …` that handles the common case in line, behind a check of the operands'
classes, and calls a function of the rooms beside for everything else. Errors are values (Failure): nothing is raised
before the end, and `&&` and `||` can absorb them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rule_engine.expressions import operators, values
from rule_engine.expressions.errors import ExpressionSyntaxError, did_you_mean
from rule_engine.expressions.functions import FUNCTIONS, METHODS, compile_pattern, or_value
from rule_engine.expressions.macros import MACROS
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

if TYPE_CHECKING:
    from typing import Any

    from rule_engine.expressions.writer import Writer

VARIABLES = ("event", "data", "customer", "now", "previous", "value", "key")

_ORDER = {
    "<": values.less,
    "<=": values.less_or_equal,
    ">": values.greater,
    ">=": values.greater_or_equal,
}
_ARITHMETIC = {
    "+": operators.add,
    "-": operators.subtract,
    "*": operators.multiply,
    "/": operators.divide,
    "%": operators.modulo,
}
_UNARY = {"!": operators.negation, "-": operators.negate}


class Generator:
    """Writes an expression that may read the variables `names`; `read` collects those that it does."""

    def __init__(self, writer: Writer, names: tuple[str, ...]) -> None:
        self.read: set[str] = set()
        self._writer = writer
        self._names = names
        self._bound: dict[str, str] = {}  # the operands of the names that macros bind

    def emit(self, node: Node) -> str:
        """Writes `node`; gives the operand of its value.

        Long chains lean to the left: down their left side and up again without recursion.
        """
        chain: list[Node] = []
        while (below := _leftmost(node)) is not None:
            chain.append(node)
            node = below
        operand = self._leaf(node)
        for above in reversed(chain):
            operand = self._above(above, operand)
        return operand

    def _leaf(self, node: Node) -> str:
        match node:
            case Literal():
                return self._writer.constant(node.value)
            case Variable():
                return self._variable(node)
            case Logical():
                return self._logical(node)
            case Conditional():
                return self._conditional(node)
            case ListLiteral():
                return self._list(node)
            case MapLiteral():
                parts = [self.emit(part) for entry in node.entries for part in entry]
                return self._writer.assign(self._writer.invoke(operators.make_map, *parts))
            case Call():
                function = FUNCTIONS[node.function]
                operands = self._arguments(node)
                return self._writer.call(function.apply, *operands, linear=function.linear)
            case Bind():
                return self._within(node.variable, self.emit(node.value), node.body)
        raise AssertionError(node)

    def _above(self, node: Node, operand: str) -> str:
        """Writes `node`, whose leftmost part is `operand`."""
        match node:
            case Select(optional=False):
                return self._select(operand, node.field)
            case Index(key=Literal(value=str() as field), optional=False):
                return self._select(operand, field)
            case Select():
                return self._writer.call(
                    operators.select_optional, operand, self._writer.constant(node.field)
                )
            case Has():
                return self._has(operand, node.field)
            case Index():
                take = operators.index_optional if node.optional else operators.index
                return self._writer.call(take, operand, self.emit(node.key))
            case Unary(operator="!") if not self._writer.is_constant(operand):
                slow = self._writer.invoke(operators.negation, operand)
                return self._writer.assign(f"{operand} is False if {operand}.__class__ is bool else {slow}")
            case Unary():
                return self._writer.call(_UNARY[node.operator], operand)
            case Binary(operator="in"):
                return self._in(operand, node.right)
            case Binary():
                return self._binary(node.operator, operand, self.emit(node.right))
            case Macro():
                return self._macro(node, operand)
            case Call(function="orValue", target=Select(optional=True, field=field)):
                return self._field_or(operand, field, node.arguments[0])
            case Call(function="orValue"):
                return self._or_value(operand, node.arguments[0])
            case Call():
                method = METHODS[node.function]
                operands = self._arguments(node)
                return self._writer.call(method.apply, operand, *operands, linear=method.linear)
        raise AssertionError(node)

    def _arguments(self, node: Call) -> list[str]:
        operands = [self.emit(argument) for argument in node.arguments]
        if node.function == "matches" and self._writer.is_constant(operands[-1]):
            operands[-1] = self._writer.constant(compile_pattern(self._writer.constant_value(operands[-1])))
        return operands

    # --- names and fields

    def _variable(self, node: Variable) -> str:
        if node.name in self._bound:
            return self._bound[node.name]
        if node.name in self._names:
            self.read.add(node.name)
            return node.name
        if node.name in VARIABLES:
            where = f"{node.name!r} is not known here, only {', '.join(self._names) or 'what is constant'}"
            raise ExpressionSyntaxError(where, node.offset)
        hint = did_you_mean(node.name, (*self._bound, *self._names, "true", "false", "null"))
        if not hint and "data" in self._names:
            hint = f"; did you mean 'data.{node.name}'?"
        raise ExpressionSyntaxError(f"unknown name {node.name!r}{hint}", node.offset)

    def _within(self, variable: str, operand: str, body: Node) -> str:
        outer = self._bound
        self._bound = {**outer, variable: operand}
        try:
            return self.emit(body)
        finally:
            self._bound = outer

    def _select(self, x: str, field: str) -> str:
        name = self._writer.constant(field)
        if self._writer.is_constant(x):
            return self._writer.call(operators.select, x, name)
        slow = self._writer.invoke(operators.select, x, name)
        return self._writer.assign(f"{x}[{name}] if {x}.__class__ is dict and {name} in {x} else {slow}")

    def _has(self, x: str, field: str) -> str:
        name = self._writer.constant(field)
        if self._writer.is_constant(x):
            return self._writer.call(operators.has, x, name)
        return self._writer.assign(
            f"{name} in {x} if {x}.__class__ is dict else {self._writer.invoke(operators.has, x, name)}"
        )

    def _field_or(self, x: str, field: str, alternative: Node) -> str:
        """`x.?field.orValue(alternative)`, without an optional in between."""
        writer = self._writer
        name = writer.constant(field)
        result = writer.assign(f"{x}[{name}] if {x}.__class__ is dict and {name} in {x} else PENDING")
        with writer.under(f"if {result} is PENDING:"):
            writer.line(f"{result} = {writer.invoke(operators.field_or, x, name, self.emit(alternative))}")
        return result

    def _or_value(self, x: str, alternative: Node) -> str:
        writer = self._writer
        slow = writer.invoke(or_value, x, "None")
        result = writer.assign(f"{x}.value if {x}.__class__ is Optional else {slow}")
        with writer.under(f"if {x} is NONE:"):
            writer.line(f"{result} = {self.emit(alternative)}")
        return result

    # --- operators

    def _binary(self, operator: str, a: str, b: str) -> str:
        if operator in _ORDER:
            return self._ordering(operator, a, b)
        if operator in {"==", "!="}:
            return self._equality(operator, a, b)
        function = _ARITHMETIC[operator]
        writer = self._writer
        known = [writer.constant_value(x).__class__ for x in (a, b) if writer.is_constant(x)]
        if operator in {"/", "%"} or len(known) == 2 or known not in ([], [float]):
            return writer.call(function, a, b, linear=True)
        doubles = " and ".join(f"{x}.__class__ is float" for x in (a, b) if not writer.is_constant(x))
        slow = writer.invoke(function, a, b, linear=True)
        return writer.assign(f"{a} {operator} {b} if {doubles} else {slow}")

    def _ordering(self, operator: str, a: str, b: str) -> str:
        function = _ORDER[operator]
        writer = self._writer
        slow = writer.invoke(function, a, b, linear=True)
        if writer.is_constant(a) and writer.is_constant(b):
            return writer.call(function, a, b)
        if writer.is_constant(a) or writer.is_constant(b):
            constant, other = (a, b) if writer.is_constant(a) else (b, a)
            guard = _same_class(other, writer.constant_value(constant))
        else:
            guard = (
                f"{a}.__class__ is {b}.__class__ and {a}.__class__ in ORDERED" if not writer.metering else ""
            )
        return writer.assign(f"{a} {operator} {b} if {guard} else {slow}" if guard else slow)

    def _equality(self, operator: str, a: str, b: str) -> str:
        writer = self._writer
        function = values.equal if operator == "==" else values.unequal
        if writer.is_constant(a) and writer.is_constant(b):
            return writer.call(function, a, b)
        slow = writer.invoke(function, a, b, *(["m"] if writer.metering else []))
        if writer.is_constant(a) or writer.is_constant(b):
            constant, other = (a, b) if writer.is_constant(a) else (b, a)
            k = writer.constant_value(constant)
            if k is None or k.__class__ is bool:
                same = "is" if operator == "==" else "is not"
                return writer.assign(
                    f"{other} {same} {constant} if {other}.__class__ is not Failure else {other}"
                )
            if k.__class__ is str:
                # Python finds a string unequal to whatever is none.
                return writer.assign(
                    f"{other} {operator} {constant} if {other}.__class__ is not Failure else {other}"
                )
            guard = _same_class(other, k)
        else:
            guard = (
                f"{a}.__class__ is {b}.__class__ and {a}.__class__ in ORDERED" if not writer.metering else ""
            )
        return writer.assign(f"{a} {operator} {b} if {guard} else {slow}" if guard else slow)

    def _in(self, x: str, container: Node) -> str:
        writer = self._writer
        meter = ["m"] if writer.metering else []
        elements = container.elements if isinstance(container, ListLiteral) else ()
        literals = [element.value for element in elements if isinstance(element, Literal)]
        if not literals or len(literals) < len(elements):
            return writer.assign(writer.invoke(values.contains, x, self.emit(container), *meter))
        tests = {_same_class(x, value) for value in literals}
        if "" in tests or any(isinstance(value, bool) for value in literals):
            return writer.assign(writer.invoke(values.contains, x, writer.constant(literals), *meter))
        among = writer.constant(frozenset(literals))
        return writer.assign(
            f"{x} in {among} if {' or '.join(sorted(tests))} else {x}.__class__ is Failure and {x}"
        )

    def _logical(self, node: Logical) -> str:
        """Left to right until one decides, but an error before it does not count."""
        writer = self._writer
        fail, decisive = (
            (operators.no_conjunction, False) if node.operator == "&&" else (operators.no_disjunction, True)
        )
        first = self.emit(node.operands[0])
        slow = writer.invoke(fail, first, str(not decisive))
        result = writer.assign(f"{first} if {first} is True or {first} is False else {slow}")
        for operand in node.operands[1:]:
            with writer.under(f"if {result} is not {decisive}:"):
                x = self.emit(operand)
                slow = writer.invoke(fail, result, x)
                with writer.under(f"if {x} is not {not decisive}:"):
                    writer.line(f"{result} = {decisive} if {x} is {decisive} else {slow}")
        return result

    def _conditional(self, node: Conditional) -> str:
        """A chain of `? :` as a flat list of tests."""
        writer = self._writer
        result = writer.assign("PENDING")
        otherwise: Node = node
        while isinstance(otherwise, Conditional):
            with writer.under(f"if {result} is PENDING:"):
                test = self.emit(otherwise.test)
                with writer.under(f"if {test} is True:"):
                    writer.line(f"{result} = {self.emit(otherwise.then)}")
                with writer.under(f"if {test}.__class__ is not bool:"):
                    writer.line(f"{result} = {writer.invoke(operators.no_condition, test)}")
            otherwise = otherwise.otherwise
        with writer.under(f"if {result} is PENDING:"):
            writer.line(f"{result} = {self.emit(otherwise)}")
        return result

    # --- lists and macros

    def _list(self, node: ListLiteral) -> str:
        elements = [self.emit(element) for element in node.elements]
        writer = self._writer
        if all(
            writer.is_constant(element) and writer.constant_value(element).__class__ is not values.Failure
            for element in elements
        ):
            return writer.assign(f"[{', '.join(elements)}]")
        return writer.assign(writer.invoke(operators.make_list, *elements))

    def _macro(self, node: Macro, container: str) -> str:
        body = self._body(node.variable, node.body)
        condition = [] if node.condition is None else [self._body(node.variable, node.condition)]
        return self._writer.assign(self._writer.invoke(MACROS[node.name], container, body, "m", *condition))

    def _body(self, variable: str, node: Node) -> str:
        """The name of a function of the variable's value."""
        writer = self._writer
        function, parameter = writer.fresh("b"), writer.fresh("v")
        metering, writer.metering = writer.metering, True
        with writer.under(f"def {function}({parameter}):"):
            result = self._within(variable, parameter, node)
            writer.line(f"return {result}")
        writer.metering = metering
        return function


def _leftmost(node: Node) -> Node | None:
    match node:
        case Call(function="orValue", target=Select(optional=True, operand=operand)):
            return operand
        case Select() | Has() | Index() | Unary():
            return node.operand
        case Binary():
            return node.left
        case Macro() | Call():
            return node.target
    return None


def _same_class(x: str, constant: Any) -> str:
    """The test under which Python compares `x` with `constant` as the language does; empty if there is none.

    An int beyond 64 bits counts as a double, but lies on the same side of every number within them.
    """
    if constant.__class__ is int and constant > values.INT_MIN:
        return f"{x}.__class__ is int or {x}.__class__ is float"
    if constant.__class__ is float and abs(constant) < 2.0**63:
        return f"{x}.__class__ is float or {x}.__class__ is int"
    names: dict[type, str] = {str: "str", bool: "bool", datetime: "datetime", timedelta: "timedelta"}
    name = names.get(constant.__class__)
    return f"{x}.__class__ is {name}" if name else ""
