"""`Math` of JavaScript: arguments become numbers, and what has no result is NaN."""

import math
import secrets
import struct
from collections.abc import Callable
from typing import Final

from edgeworker.runtime.webapi.json_text import number
from edgeworker.runtime.webapi.number_conversion import to_number
from edgeworker.runtime.webapi.surplus import javascript_class

_ARCS: Final = ("acos", "acosh", "asin", "asinh", "atan")
_CIRCLES: Final = ("cos", "cosh", "sin", "sinh", "tan", "tanh")


def _of_one(function: Callable[[float], float]) -> Callable[..., int | float]:
    def call(value: object = None) -> int | float:
        try:
            return number(float(function(to_number(value))))
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return call


def _whole(function: Callable[[float], int]) -> Callable[..., int | float]:
    def call(value: object = None) -> int | float:
        given = to_number(value)
        return function(given) if math.isfinite(given) else given

    return call


def _to_int32(value: object) -> int:
    given = to_number(value)
    whole = math.trunc(given) if math.isfinite(given) else 0
    return (whole + 2**31) % 2**32 - 2**31


def _log(value: float) -> float:
    return math.log(value) if value else -math.inf


@javascript_class
class Math:
    """The global of that name."""

    PI, E, LN2, LN10 = math.pi, math.e, math.log(2), math.log(10)
    LOG2E, LOG10E, SQRT2, SQRT1_2 = 1 / math.log(2), 1 / math.log(10), math.sqrt(2), math.sqrt(0.5)
    abs = staticmethod(_of_one(abs))
    ceil = staticmethod(_whole(math.ceil))
    floor = staticmethod(_whole(math.floor))
    trunc = staticmethod(_whole(math.trunc))
    log = staticmethod(_of_one(_log))
    log10 = staticmethod(_of_one(lambda value: math.log10(value) if value else -math.inf))
    log2 = staticmethod(_of_one(lambda value: math.log2(value) if value else -math.inf))
    log1p = staticmethod(_of_one(lambda value: math.log1p(value) if value != -1 else -math.inf))
    atanh = staticmethod(_of_one(lambda value: value * math.inf if abs(value) == 1 else math.atanh(value)))
    acos, acosh, asin, asinh, atan = (staticmethod(_of_one(getattr(math, name))) for name in _ARCS)
    cos, cosh, sin, sinh, tan, tanh = (staticmethod(_of_one(getattr(math, name))) for name in _CIRCLES)
    cbrt, exp, expm1, sqrt = (staticmethod(_of_one(getattr(math, name))) for name in ("cbrt", "exp", "expm1", "sqrt"))

    @staticmethod
    def max(*values: object) -> int | float:
        given = [to_number(value) for value in values]
        return math.nan if any(map(math.isnan, given)) else max(given, default=-math.inf)

    @staticmethod
    def min(*values: object) -> int | float:
        given = [to_number(value) for value in values]
        return math.nan if any(map(math.isnan, given)) else min(given, default=math.inf)

    @staticmethod
    def hypot(*values: object) -> int | float:
        return number(math.hypot(*map(to_number, values)))

    @staticmethod
    def atan2(y: object = None, x: object = None) -> int | float:
        return number(math.atan2(to_number(y), to_number(x)))

    @staticmethod
    def pow(base: object = None, exponent: object = None) -> int | float:
        try:
            result = to_number(base) ** to_number(exponent)
        except (ZeroDivisionError, OverflowError):
            return math.inf
        return math.nan if isinstance(result, complex) else number(float(result))

    @staticmethod
    def imul(one: object = None, other: object = None) -> int:
        return _to_int32(_to_int32(one) * _to_int32(other))

    @staticmethod
    def clz32(value: object = None) -> int:
        return 32 - (_to_int32(value) % 2**32).bit_length()

    @staticmethod
    def fround(value: object = None) -> int | float:
        given = to_number(value)
        return number(struct.unpack("f", struct.pack("f", given))[0]) if math.isfinite(given) else given

    @staticmethod
    def sign(value: object = None) -> int | float:
        given = to_number(value)
        return given if math.isnan(given) else (given > 0) - (given < 0)

    @staticmethod
    def random() -> float:
        return secrets.randbits(53) / (1 << 53)

    @staticmethod
    def round(value: object = None) -> int | float:
        """Halves go up, as in JavaScript."""
        given = to_number(value)
        return math.floor(given + 0.5) if math.isfinite(given) else given
