"""The small globals of JavaScript: conversions, errors, copies, events."""

import copy
import math
import re
from collections.abc import Awaitable, Mapping
from typing import Final

from edgeworker.clock import Clock
from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.abort import AbortSignal, run_unless_aborted
from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import JsObject, is_absent, options
from edgeworker.runtime.webapi.body_init import wrong_field
from edgeworker.runtime.webapi.data import JsMap
from edgeworker.runtime.webapi.dom_exception import DOMException
from edgeworker.runtime.webapi.event_target import Event, EventTarget
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.json_text import number
from edgeworker.runtime.webapi.number_conversion import to_number
from edgeworker.runtime.webapi.plain_objects import make_object
from edgeworker.runtime.webapi.plain_proxy import fields_of
from edgeworker.runtime.webapi.regexp import RegExp
from edgeworker.runtime.webapi.sets import JsSet
from edgeworker.runtime.webapi.strings import to_string
from edgeworker.runtime.webapi.surplus import javascript_class

_INTEGER: Final = re.compile(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|[0-9a-zA-Z]+)")
_FLOAT: Final = re.compile(r"\s*[+-]?(?:Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def parseInt(text: object, radix: int = 10) -> int | float:
    """As far as the text is a number; NaN where it does not begin with one."""
    found = _INTEGER.match(str(text))
    if found is None:
        return math.nan
    sign, digits = found[1], found[2].lower()
    if digits.startswith("0x") and radix in (10, 16):
        digits, radix = digits[2:], 16
    allowed = _DIGITS[:radix]
    whole = re.match(f"[{allowed}]+", digits)
    return math.nan if whole is None else int(sign + whole[0], radix)


def parseFloat(text: object) -> int | float:
    found = _FLOAT.match(str(text))
    return math.nan if found is None else number(float(found[0]))


@javascript_class
class Number:
    """`Number(x)`, and what stands at it."""

    MAX_SAFE_INTEGER, MIN_SAFE_INTEGER, EPSILON = 2**53 - 1, -(2**53) + 1, 2.0**-52
    MAX_VALUE, POSITIVE_INFINITY, NEGATIVE_INFINITY, NaN = 1.7976931348623157e308, math.inf, -math.inf, math.nan
    parseInt = staticmethod(parseInt)
    parseFloat = staticmethod(parseFloat)

    def __new__(cls, value: object = 0) -> int | float:  # type: ignore[misc]  # a call converts, as in JavaScript
        return to_number(value)

    @classmethod
    def new(cls, value: object = 0) -> int | float:
        """Python has no number that is an object."""
        return to_number(value)

    @staticmethod
    def isInteger(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()

    @staticmethod
    def isSafeInteger(value: object) -> bool:
        return isinstance(value, int | float) and Number.isInteger(value) and abs(value) <= Number.MAX_SAFE_INTEGER

    @staticmethod
    def isFinite(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

    @staticmethod
    def isNaN(value: object) -> bool:
        return isinstance(value, float) and math.isnan(value)


class BooleanObject(JsObject):
    """What `Boolean.new(x)` makes: an object, and so true, whatever its value is."""

    def __init__(self, value: object) -> None:
        self._value = _is_true(value)

    def valueOf(self) -> bool:
        return self._value

    def __str__(self) -> str:
        return to_string(self._value)

    __repr__ = __str__


class StringObject(str):
    """What `String.new(x)` makes: a text with the members that Python's has not."""

    __slots__ = ()

    @property
    def length(self) -> int:
        return len(self.encode("utf-16-le", "surrogatepass")) // 2

    def valueOf(self) -> str:
        return str(self)

    def toString(self) -> str:
        return str(self)


@javascript_class
class Boolean:
    """`Boolean(x)`: false for what JavaScript takes for false."""

    def __new__(cls, value: object = False) -> bool:  # type: ignore[misc]  # a call converts, as in JavaScript
        return _is_true(value)

    @classmethod
    def new(cls, value: object = False) -> BooleanObject:
        return BooleanObject(value)


def _is_true(value: object) -> bool:
    """Empty arrays and objects are true in JavaScript."""
    if isinstance(value, float):
        return bool(value) and not math.isnan(value)
    return bool(value) if isinstance(value, str | int) or is_absent(value) else True


@javascript_class
class String:
    """`String(x)`, and what stands at it."""

    def __new__(cls, value: object = "") -> str:  # type: ignore[misc]  # a call converts, as in JavaScript
        return to_string(value)

    @classmethod
    def new(cls, value: object = "") -> StringObject:
        return StringObject(to_string(value))

    @staticmethod
    def fromCharCode(*codes: int) -> str:
        return b"".join((code & 0xFFFF).to_bytes(2, "little") for code in codes).decode("utf-16-le", "surrogatepass")

    @staticmethod
    def fromCodePoint(*codes: int) -> str:
        return "".join(map(chr, codes))


def isNaN(value: object = None) -> bool:
    return math.isnan(to_number(value))


def isFinite(value: object = None) -> bool:
    return math.isfinite(to_number(value))


def structuredClone(value: object, _options: object = None) -> object:
    """A deep copy of data. Raises JsException (DataCloneError) for functions and the like."""
    if type(value) in (dict, list, tuple) and portability_warnings.is_refused(
        f"a {type(value).__name__} of Python cannot be cloned on Cloudflare: DataCloneError",
        "give to_js(value, dict_converter=Object.fromEntries)",
    ):
        raise JsException("DataCloneError", "[object Object] could not be cloned.")
    value = fields_of(value)
    if callable(value) and not isinstance(value, JsObject | Mapping | list):
        raise JsException("DataCloneError", f"{value!r} could not be cloned.")
    match value:
        case JsMap():
            return JsMap([[key, structuredClone(item)] for key, item in value.items()])
        case Mapping():
            return make_object({str(key): structuredClone(item) for key, item in value.items()})
        case JsSet():
            return JsSet(value)
        case list() | tuple():
            return make_array(structuredClone(item) for item in value)
        case _:
            return copy.copy(value)


def error_class(name: str) -> type[JsException]:
    """`js.Error` and its kin: `Error.new(text)` makes an exception that can be raised in Python."""

    @javascript_class
    class Made(JsException):
        def __init__(self, message: object = "", init: object = None) -> None:
            super().__init__(name, to_string(message))
            self.cause = dict(options(init, {})).get("cause")

        @classmethod
        def new(cls, *args: object) -> "Made":
            return cls(*args)

    Made.__name__ = Made.__qualname__ = name
    return Made


@javascript_class
class Scheduler:
    """`scheduler.wait(ms)`, on the edge's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def wait(self, ms: float, init: object = None, /, **keywords: object) -> Awaitable[None]:
        """Ends early, with an error, where the option `signal` is aborted."""
        signal = options(init, keywords).get("signal")
        if signal is not None and not isinstance(signal, AbortSignal):
            raise wrong_field("signal", "AbortSignal", of="WaitOptions")
        sleeping = _sleep(self._clock, max(0.0, ms / 1000))
        return run_unless_aborted(sleeping, signal)


async def _sleep(clock: Clock, seconds: float) -> None:
    await clock.sleep(seconds)


ERRORS: Final[Mapping[str, type[JsException]]] = {
    name: error_class(name)
    for name in ("Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError")
}
NAMES: Final[Mapping[str, object]] = {
    **ERRORS,
    "BigInt": int,
    "Boolean": Boolean,
    "CustomEvent": Event,
    "DOMException": DOMException,
    "Event": Event,
    "EventTarget": EventTarget,
    "Infinity": math.inf,
    "NaN": math.nan,
    "Number": Number,
    "String": String,
    "isFinite": isFinite,
    "isNaN": isNaN,
    "parseFloat": parseFloat,
    "RegExp": RegExp,
    "parseInt": parseInt,
    "structuredClone": structuredClone,
}
