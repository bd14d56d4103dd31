"""How JavaScript makes text of a value: String(value), and the standards' USVString."""

from collections.abc import Mapping
from enum import Enum

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.ffi import JsNull
from edgeworker.runtime.webapi.json_text import numeral
from edgeworker.runtime.webapi.plain_proxy import PlainProxy


def to_string(value: object = "") -> str:
    """JavaScript's String(value). None is undefined, `jsnull` is null."""
    match value:
        case str() if isinstance(value, Enum):
            return str(value.value)
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case Enum():
            return to_string(value.value)
        case int():
            return str(int(value))
        case float():
            return numeral(value)
        case None:
            return "undefined"
        case JsNull():
            return "null"
        case PlainProxy():
            return str(value)
        case list() | tuple() | dict() if portability_warnings.current().is_strict:
            return str(value)  # it is no array and no object, but a proxy of Python's
        case Mapping():
            return str(value) if hasattr(type(value), "constructor") else "[object Object]"
        case list() | tuple():
            return ",".join("" if item is None or isinstance(item, JsNull) else to_string(item) for item in value)
        case _:
            return str(value)


def to_usv_string(value: object) -> str:
    """As `to_string`, with U+FFFD for lone surrogates. Source: https://webidl.spec.whatwg.org/#es-USVString"""
    text = to_string(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
