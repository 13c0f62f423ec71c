"""Formulas that people type, evaluated without giving them the run of the IOC.

A formula is a Python expression of numbers, names, ``+ - * / // % **``, parentheses and numpy's
functions of one or two numbers. Nothing else means anything here: no attributes, no other calls.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ioc_ops.errors import ConversionError

__all__ = ["Expression"]

FUNCTIONS: dict[str, Any] = {
    name: getattr(np, name) for name in np.__all__ if isinstance(getattr(np, name), np.ufunc)
}
CONSTANTS = {"pi": np.float64(np.pi), "e": np.float64(np.e)}
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


class Expression:
    """A formula; ``names`` are its variables, in alphabetical order."""

    def __init__(self, text: str) -> None:
        """Take a formula apart. Raises ConversionError, with the reason."""
        self.text = text.strip()
        try:
            self._tree = ast.parse(self.text, mode="eval").body
            self.names = tuple(sorted(_check(self._tree)))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
            raise ConversionError(f"{text!r} is no formula: {problem}") from None

    def __call__(self, values: Mapping[str, float]) -> float:
        """The result; what has none, as 1 / 0, gives infinity or NaN."""
        with np.errstate(all="ignore"):
            return float(_evaluate(self._tree, values))


def _check(node: ast.AST) -> set[str]:
    """The variables of a formula. Raises ValueError where it is none."""
    match node:
        case ast.Constant(value=bool() | complex()):
            pass
        case ast.Constant(value=int() | float()):
            return set()
        case ast.Name(id=name):
            return {name} - CONSTANTS.keys()
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return _check(left) | _check(right)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            return _check(operand)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            if len(args) != FUNCTIONS[name].nin or FUNCTIONS[name].nout != 1:
                raise ValueError(f"{name} takes {FUNCTIONS[name].nin} numbers")
            return set().union(*map(_check, args))
    raise ValueError(f"{ast.unparse(node)} is not allowed")


def _evaluate(node: ast.AST, values: Mapping[str, float]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return np.float64(number)  # unlike an int it cannot grow without end
        case ast.Name(id=name):
            return CONSTANTS[name] if name in CONSTANTS else np.float64(values[name])
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](_evaluate(left, values), _evaluate(right, values))
        case ast.UnaryOp(op=op, operand=operand):
            return OPERATORS[type(op)](_evaluate(operand, values))
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name](*[_evaluate(each, values) for each in args])
    raise ValueError(ast.unparse(node))
