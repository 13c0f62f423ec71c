"""CALC expressions, as access rules use them: parsed once, evaluated often.

The syntax is that of ``postfix.c`` of EPICS Base: inputs A to U, numbers, operators in C's
manner with ``**`` and ``^`` for powers, ``=`` and ``#`` for comparisons, functions, ``?:``.
Upper and lower case are the same. Assignments (``:=``) are no part of an access rule.
"""

import math
import re
from collections.abc import Sequence
from enum import IntEnum, auto
from typing import Any, NamedTuple, NoReturn

from ioc_ops.errors import ConfigurationError
from ioc_ops.server.access.rules.arithmetic import (
    BINARY,
    CONSTANTS,
    FUNCTIONS,
    VARIADIC,
    random_number,
)

__all__ = ["INPUTS", "Calc"]

INPUTS = "ABCDEFGHIJKLMNOPQRSTU"
"""The names of inputs."""

_DEEPEST = 79
"""Operators and values that may wait at a time (80 in ``postfix.c``, one of them unused)."""

_FUNCTION_PRIORITY = 7
_CONDITION_PRIORITY = 0


class _Op(IntEnum):
    NUMBER = auto()
    INPUT = auto()
    PREVIOUS = auto()
    RANDOM = auto()
    UNARY = auto()
    BINARY = auto()
    VARIADIC = auto()
    IF = auto()
    ELSE = auto()
    END = auto()


class _Step(NamedTuple):
    op: _Op
    operand: Any = None
    """Number, index of an input, function, or where to go on."""
    arguments: int = 0


class _Held:
    """An operator that waits for its last operand; ``None`` as a step is a parenthesis."""

    __slots__ = ("commas", "priority", "step")

    def __init__(self, step: _Step | None, priority: int) -> None:
        self.step = step
        self.priority = priority
        self.commas = 0

    @property
    def effect(self) -> int:
        """By how much the number of values changes when it is done."""
        if self.step is None or self.step.op == _Op.END:
            return 0
        return 1 - self.step.arguments


def _longest_first(names: Sequence[str]) -> re.Pattern[str]:
    ordered = sorted(names, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)), re.IGNORECASE)


_SPACE = re.compile(r"[ \t\n\v\f\r]*")
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+")
_NUMBER = re.compile(
    r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|inf(?:inity)?|nan(?:\([0-9A-Za-z_]*\))?",
    re.IGNORECASE | re.ASCII,
)
_OPERAND = _longest_first(["(", "VAL", "RNDM", *CONSTANTS, *FUNCTIONS, *VARIADIC, *INPUTS])
_OPERATOR = _longest_first([")", ",", "?", ":", ":=", ";", *BINARY])
_SMALLEST_NORMAL = 2.2250738585072014e-308


class Calc:
    """A parsed expression."""

    __slots__ = ("_steps", "inputs", "text")

    def __init__(self, text: str) -> None:
        """Parse.

        Raises:
            ConfigurationError: it is no expression; says what is wrong with it.
        """
        self.text = text
        self._steps = _with_targets(_Parser(text).steps())
        self.inputs: frozenset[int] = frozenset(
            [s.operand for s in self._steps if s.op == _Op.INPUT]
        )
        """Indices of the inputs that it uses: 0 is A."""

    def __repr__(self) -> str:
        return f"Calc({self.text!r})"

    def evaluate(self, inputs: Sequence[float], previous: float = 0.0) -> float | None:
        """The value of the expression.

        Args:
            inputs: values of A, B, ... U.
            previous: what VAL stands for: the last result.

        Returns:
            None where the branches of a condition leave no single value (``calcPerform``
            returns an error).
        """
        steps, end, at = self._steps, len(self._steps), 0
        values: list[float] = []
        try:
            while at < end:
                op, operand, arguments = steps[at]
                at += 1
                if op == _Op.INPUT:
                    values.append(inputs[operand])
                elif op == _Op.NUMBER:
                    values.append(operand)
                elif op == _Op.BINARY:
                    right = values.pop()
                    values.append(operand(values.pop(), right))
                elif op == _Op.UNARY:
                    values.append(operand(values.pop()))
                elif op == _Op.IF:
                    if not values.pop():
                        at = operand
                elif op == _Op.ELSE:
                    at = operand
                elif op == _Op.VARIADIC:
                    taken = values[-arguments:]
                    if len(taken) < arguments:
                        return None
                    values[-arguments:] = [operand(taken)]
                elif op == _Op.PREVIOUS:
                    values.append(previous)
                elif op == _Op.RANDOM:
                    values.append(random_number())
        except IndexError:
            return None
        return values[0] if at == end and len(values) == 1 else None


class _Parser:
    """Turns infix into steps: operators wait until one of lower priority lets them go."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._steps: list[_Step] = []
        self._held: list[_Held] = []
        self._depth = 0  # values that there will be when the steps so far are done
        self._open_conditions = 0

    def steps(self) -> list[_Step]:
        wants_operand = True
        while self._more():
            wants_operand = self._operand() if wants_operand else self._operator()
            if self._depth < 0:
                self._fail("not enough operands")
            if max(self._depth, len(self._held)) > _DEEPEST:
                self._fail("too deeply nested")
        while self._held:
            if self._held[-1].step is None:
                self._fail("')' is missing")
            self._release()
        if self._open_conditions:
            self._fail("'?' without ':'")
        if wants_operand or self._depth != 1:
            self._fail("an operand is missing" if wants_operand else "not one result")
        return self._steps

    def _more(self) -> bool:
        space = _SPACE.match(self._text, self._at)
        if space is not None:
            self._at = space.end()
        return self._at < len(self._text)

    def _fail(self, why: str) -> NoReturn:
        raise ConfigurationError(f"CALC expression {self._text!r}: {why}")

    def _take(self, pattern: re.Pattern[str], expected: str) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            self._fail(f"{expected} expected at {self._text[self._at : self._at + 20]!r}")
        self._at = found.end()
        return found.group().upper()

    # -- operands: whether another one must follow ----------------------------------------

    def _operand(self) -> bool:
        if self._text[self._at] in ".0123456789":
            return self._number()
        # INF and NAN are the only names that begin like another one they are not.
        named = _NUMBER.match(self._text, self._at)
        found = _OPERAND.match(self._text, self._at)
        if named is not None and (found is None or len(found.group()) <= len(named.group())):
            return self._number()
        name = self._take(_OPERAND, "a value")
        if name == "(":
            self._hold(_Held(None, 0))
        elif name in VARIADIC:
            self._hold(_Held(_Step(_Op.VARIADIC, VARIADIC[name], 1), _FUNCTION_PRIORITY))
        elif name in FUNCTIONS:
            arguments, function = FUNCTIONS[name]
            op = _Op.UNARY if arguments == 1 else _Op.BINARY
            self._hold(_Held(_Step(op, function, arguments), _FUNCTION_PRIORITY))
        else:
            if name in CONSTANTS:
                self._steps.append(_Step(_Op.NUMBER, CONSTANTS[name]))
            elif name == "VAL":
                self._steps.append(_Step(_Op.PREVIOUS))
            elif name == "RNDM":
                self._steps.append(_Step(_Op.RANDOM))
            else:
                self._steps.append(_Step(_Op.INPUT, INPUTS.index(name)))
            self._depth += 1
            return False
        return True

    def _number(self) -> bool:
        hexadecimal = _HEXADECIMAL.match(self._text, self._at)
        if hexadecimal is not None:
            self._at = hexadecimal.end()
            bits = int(hexadecimal.group(), 16)
            if bits > 0xFFFFFFFF:
                self._fail(f"{hexadecimal.group()} has more than 32 bits")
            value = float(bits - (1 << 32) if bits >> 31 else bits)
        else:
            text = self._take(_NUMBER, "a number").partition("(")[0]
            value = float(text)
            digits = text.partition("E")[0].strip("0.")
            named = text[0] in "IN"
            if not named and (math.isinf(value) or (digits and value < _SMALLEST_NORMAL)):
                self._fail(f"{text} is out of range")
        self._steps.append(_Step(_Op.NUMBER, value))
        self._depth += 1
        return False

    # -- operators: whether an operand must follow ------------------------------------------

    def _operator(self) -> bool:
        name = self._take(_OPERATOR, "an operator")
        if name in BINARY:
            priority, function = BINARY[name]
            self._release_from(priority)
            self._hold(_Held(_Step(_Op.BINARY, function, 2), priority))
        elif name == "?":
            self._release_from(_CONDITION_PRIORITY + 1)
            self._steps.append(_Step(_Op.IF))
            self._depth -= 1
            self._open_conditions += 1
        elif name == ":":
            self._release_from(_CONDITION_PRIORITY + 1)
            self._steps.append(_Step(_Op.ELSE))
            self._depth -= 1
            self._open_conditions -= 1
            if self._open_conditions < 0:
                self._fail("':' without '?'")
            self._hold(_Held(_Step(_Op.END), _CONDITION_PRIORITY))
        elif name == ",":
            self._release_to_parenthesis("',' outside of parentheses").commas += 1
        elif name == ")":
            self._close(self._release_to_parenthesis("')' without '('"))
            return False
        else:
            self._fail(f"{name!r}: an access rule must not assign")
        return True

    def _hold(self, held: _Held) -> None:
        self._held.append(held)

    def _release(self) -> None:
        held = self._held.pop()
        if held.step is not None:
            self._steps.append(held.step)
            self._depth += held.effect

    def _release_from(self, priority: int) -> None:
        while self._held and self._held[-1].priority >= priority:
            self._release()

    def _release_to_parenthesis(self, problem: str) -> _Held:
        while self._held and self._held[-1].step is not None:
            self._release()
        if not self._held:
            self._fail(problem)
        return self._held[-1]

    def _close(self, parenthesis: _Held) -> None:
        self._held.pop()
        before = self._held[-1] if self._held else None
        if before is not None and before.step is not None and before.step.op == _Op.VARIADIC:
            before.step = before.step._replace(arguments=parenthesis.commas + 1)


def _with_targets(steps: list[_Step]) -> tuple[_Step, ...]:
    """Say where conditions go on, as ``cond_search`` finds it; beyond the end is an error."""
    found = []
    for at, step in enumerate(steps):
        if step.op in (_Op.IF, _Op.ELSE):
            wanted = _Op.ELSE if step.op == _Op.IF else _Op.END
            found.append(step._replace(operand=_target(steps, at + 1, wanted)))
        else:
            found.append(step)
    return tuple(found)


def _target(steps: list[_Step], start: int, wanted: _Op) -> int:
    open_conditions = 1
    for at in range(start, len(steps)):
        op = steps[at].op
        if op == wanted:
            open_conditions -= 1
            if not open_conditions:
                return at + 1
        elif op == _Op.IF:
            open_conditions += 1
    return len(steps) + 1
