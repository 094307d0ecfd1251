"""The expressions of rules: a subset of CEL over JSON, compiled to Python code objects.

docs: the rule language, "Expressions". Reads no clock, no file but the zones', no name but its variables.
"""

from rule_engine.expressions.compile import Expression, compile_expression, to_text
from rule_engine.expressions.errors import EvaluationError, ExpressionSyntaxError
from rule_engine.expressions.generate import VARIABLES
from rule_engine.expressions.nodes import Node, children, walk
from rule_engine.expressions.parser import RESERVED, parse

__all__ = [
    "RESERVED",
    "VARIABLES",
    "EvaluationError",
    "Expression",
    "ExpressionSyntaxError",
    "Node",
    "children",
    "compile_expression",
    "parse",
    "to_text",
    "walk",
]
