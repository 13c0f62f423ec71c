"""The arithmetic of CALC expressions: C doubles that never raise (``calcPerform.c``).

Conversions to integers go as on x86-64, where C leaves them undefined.
"""

import math
import random
from collections.abc import Callable

__all__ = ["BINARY", "CONSTANTS", "FUNCTIONS", "VARIADIC", "random_number"]

_NAN, _INF = math.nan, math.inf


def random_number() -> float:
    """RNDM: from 0 to 1."""
    return random.random()


def _int32(x: float) -> int:
    return int(x) if -2147483649.0 < x < 2147483648.0 else -(1 << 31)


def _unsigned(x: float) -> int:
    """32 bits; beyond the range of 64-bit integers there is nothing left of the number."""
    if x < 0:
        return _int32(x) & 0xFFFFFFFF
    return int(x) & 0xFFFFFFFF if x < 9.3e18 else 0


def _signed(bits: int) -> float:
    bits &= 0xFFFFFFFF
    return float(bits - (1 << 32) if bits >> 31 else bits)


def _integer(x: float) -> int:
    return int(_signed(_unsigned(x)))


def _is_odd(y: float) -> bool:
    return math.fmod(y, 2.0) in (1.0, -1.0)


def _divide(x: float, y: float) -> float:
    if y:
        return x / y
    return _NAN if not x or math.isnan(x) or math.isnan(y) else math.copysign(_INF, x) * _sign(y)


def _sign(x: float) -> float:
    return math.copysign(1.0, x)


def _modulo(x: float, y: float) -> float:
    divisor = _int32(y)
    # The remainder has the sign of the dividend, unlike Python's.
    return float(int(math.fmod(_int32(x), divisor))) if divisor else _NAN


def _power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except OverflowError:
        return -_INF if x < 0 and _is_odd(y) else _INF
    except ValueError:
        if x:
            return _NAN
        return math.copysign(_INF, x) if _is_odd(y) else _INF


def _modulo_of_doubles(x: float, y: float) -> float:
    try:
        return math.fmod(x, y)
    except ValueError:
        return _NAN


def _total(function: Callable[[float], float]) -> Callable[[float], float]:
    """NaN outside of the domain, infinity where the result is too large."""

    def call(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return _NAN
        except OverflowError:
            return _INF

    return call


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    inner = _total(function)
    return lambda x: inner(x) if x else -_INF


def _sinh(x: float) -> float:
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(_INF, x)


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: math.copysign(float(function(x)), x) if math.isfinite(x) else x


def _nearest(x: float) -> float:
    return float(_int32(x + 0.5 if x >= 0 else x - 0.5))


def _extreme(better: Callable[[float, float], bool]) -> Callable[[list[float]], float]:
    """From the last argument to the first; an earlier NaN stays, a later one comes through."""

    def choose(arguments: list[float]) -> float:
        best = arguments[-1]
        for other in reversed(arguments[:-1]):
            if not (better(best, other) or math.isnan(best)):
                best = other
        return best

    return choose


CONSTANTS: dict[str, float] = {
    "PI": math.pi,
    "D2R": math.pi / 180.0,
    "R2D": 180.0 / math.pi,
}

FUNCTIONS: dict[str, tuple[int, Callable[..., float]]] = {
    "!": (1, lambda x: float(not x)),
    "-": (1, lambda x: -x),
    "~": (1, lambda x: _signed(~_unsigned(x))),
    "NOT": (1, lambda x: _signed(~_unsigned(x))),
    "ABS": (1, abs),
    "ACOS": (1, _total(math.acos)),
    "ASIN": (1, _total(math.asin)),
    "ATAN": (1, math.atan),
    "ATAN2": (2, lambda x, y: math.atan2(y, x)),  # as Base has it: ATAN2(x, y)
    "CEIL": (1, _whole(math.ceil)),
    "COS": (1, _total(math.cos)),
    "COSH": (1, _total(math.cosh)),
    "EXP": (1, _total(math.exp)),
    "FLOOR": (1, _whole(math.floor)),
    "FMOD": (2, _modulo_of_doubles),
    "ISINF": (1, lambda x: _sign(x) if math.isinf(x) else 0.0),
    "LN": (1, _logarithm(math.log)),
    "LOG": (1, _logarithm(math.log10)),
    "LOGE": (1, _logarithm(math.log)),
    "NINT": (1, _nearest),
    "SIN": (1, _total(math.sin)),
    "SINH": (1, _sinh),
    "SQR": (1, _total(math.sqrt)),
    "SQRT": (1, _total(math.sqrt)),
    "TAN": (1, _total(math.tan)),
    "TANH": (1, math.tanh),
}
"""Prefix operators and functions, with the number of their arguments."""

VARIADIC: dict[str, Callable[[list[float]], float]] = {
    "FINITE": lambda arguments: float(all(map(math.isfinite, arguments))),
    "ISNAN": lambda arguments: float(any(map(math.isnan, arguments))),
    "MAX": _extreme(lambda x, y: y < x),
    "MIN": _extreme(lambda x, y: y > x),
}

BINARY: dict[str, tuple[int, Callable[[float, float], float]]] = {
    "|": (1, lambda x, y: _signed(_unsigned(x) | _unsigned(y))),
    "OR": (1, lambda x, y: _signed(_unsigned(x) | _unsigned(y))),
    "XOR": (1, lambda x, y: _signed(_unsigned(x) ^ _unsigned(y))),
    "||": (1, lambda x, y: float(bool(x) or bool(y))),
    "&": (2, lambda x, y: _signed(_unsigned(x) & _unsigned(y))),
    "AND": (2, lambda x, y: _signed(_unsigned(x) & _unsigned(y))),
    "&&": (2, lambda x, y: float(bool(x) and bool(y))),
    "<<": (2, lambda x, y: _signed(_unsigned(x) << (_unsigned(y) & 31))),
    ">>": (2, lambda x, y: float(_integer(x) >> (_unsigned(y) & 31))),
    ">>>": (2, lambda x, y: float(_unsigned(x) >> (_unsigned(y) & 31))),
    "!=": (3, lambda x, y: float(x != y)),
    "#": (3, lambda x, y: float(x != y)),
    "<": (3, lambda x, y: float(x < y)),
    "<=": (3, lambda x, y: float(x <= y)),
    "=": (3, lambda x, y: float(x == y)),
    "==": (3, lambda x, y: float(x == y)),
    ">": (3, lambda x, y: float(x > y)),
    ">=": (3, lambda x, y: float(x >= y)),
    "+": (4, lambda x, y: x + y),
    "-": (4, lambda x, y: x - y),
    "%": (5, _modulo),
    "*": (5, lambda x, y: x * y),
    "/": (5, _divide),
    "**": (6, _power),
    "^": (6, _power),
}
"""Infix operators with their priority; those of one priority go from left to right."""
