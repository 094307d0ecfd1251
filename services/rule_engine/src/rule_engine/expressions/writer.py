"""Writes the statements of one Python function, out of generated names alone.

What an expression's author wrote (names of fields, strings, numbers) is a constant of the namespace or the code and
never stands in its text; the namespace has no builtins.
"""

from __future__ import annotations

import ast
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rule_engine.expressions.operators import metered
from rule_engine.expressions.values import NONE, ORDERED, Failure, Optional

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Writer:
    """An operand is the Python name that holds a value.

    The statements are kept as a tree, not as text: Python's parser has limits of its own for indentation and brackets.
    """

    def __init__(self) -> None:
        self.metering = False  # in the body of a macro: what takes long is charged to the meter `m`
        self._count = 0
        self._statements: list[ast.stmt] = []
        self._constants: dict[str, Any] = {"None": None, "True": True, "False": False}
        self._namespace: dict[str, Any] = {
            "__builtins__": {}, "str": str, "int": int, "float": float, "bool": bool, "dict": dict,
            "datetime": datetime, "timedelta": timedelta,
            "Failure": Failure, "Optional": Optional, "NONE": NONE, "ORDERED": ORDERED, "PENDING": object(),
        }  # fmt: skip

    def line(self, text: str) -> None:
        """A statement; a constant that it compares or looks up becomes part of the code, a tenth faster than by name."""
        statements = ast.parse(text).body
        for node in (node for statement in statements for node in ast.walk(statement)):
            if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot):
                node.left = self._inlined(node.left)
                node.comparators = [self._inlined(node.comparators[0])]
            elif isinstance(node, ast.Subscript):
                node.slice = self._inlined(node.slice)
        self._statements.extend(statements)

    def _inlined(self, node: ast.expr) -> ast.expr:
        value = self._constants.get(node.id) if isinstance(node, ast.Name) else None
        if value.__class__ is str or value.__class__ is int or value.__class__ is float:
            return ast.copy_location(ast.Constant(value), node)
        return node

    @contextmanager
    def under(self, header: str) -> Iterator[None]:
        """What is written inside becomes the body of `header`, which is an `if` or a `def`."""
        statement = ast.parse(f"{header}\n pass").body[0]
        assert isinstance(statement, ast.If | ast.FunctionDef)
        outer, self._statements = self._statements, []
        yield
        statement.body = self._statements or statement.body
        self._statements = outer
        outer.append(statement)

    def fresh(self, prefix: str = "t") -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def assign(self, expression: str) -> str:
        target = self.fresh()
        self.line(f"{target} = {expression}")
        return target

    def constant(self, value: Any) -> str:
        if value is None or value.__class__ is bool:
            return str(value)
        name = self.fresh("c")
        self._constants[name] = self._namespace[name] = value
        return name

    def is_constant(self, operand: str) -> bool:
        return operand in self._constants

    def constant_value(self, operand: str) -> Any:
        return self._constants[operand]

    def use(self, thing: Callable[..., Any]) -> str:
        """The name of a function in the namespace."""
        name = f"f_{thing.__name__}"
        if self._namespace.setdefault(name, thing) is not thing:
            name = self.fresh("f")
            self._namespace[name] = thing
        return name

    def invoke(self, function: Callable[..., Any], *operands: str, linear: bool = False) -> str:
        """The text of a call; `linear` as functions.Function has it."""
        if linear and self.metering:
            return f"{self.use(metered)}(m, {self.use(function)}, {', '.join(operands)})"
        return f"{self.use(function)}({', '.join(operands)})"

    def call(self, function: Callable[..., Any], *operands: str, linear: bool = False) -> str:
        """The operand of a call at run time, or of its value where all operands are constant."""
        if all(operand in self._constants for operand in operands):
            return self.constant(function(*(self._constants[operand] for operand in operands)))
        return self.assign(self.invoke(function, *operands, linear=linear))

    def functions(self, parameters: str, ends: dict[str, str]) -> list[Callable[..., Any]]:
        """The functions named in `ends`, each of what was written and its own last line: one code object."""
        module = ast.Module([], [])
        for name, end in ends.items():
            function = ast.parse(f"def {name}({parameters}):\n {end}").body[0]
            assert isinstance(function, ast.FunctionDef)
            function.body = [*self._statements, *function.body]
            module.body.append(function)
        exec(compile(module, "<expression>", "exec"), self._namespace)  # noqa: S102
        return [self._namespace[name] for name in ends]
