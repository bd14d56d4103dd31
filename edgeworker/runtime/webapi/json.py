"""`JSON` of JavaScript: no spaces, no ASCII escapes, undefined left out."""

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi import json_text
from edgeworker.runtime.webapi.base import JsObject
from edgeworker.runtime.webapi.data import JsMap, LiteralMap, as_objects
from edgeworker.runtime.webapi.ffi import JsException, jsnull
from edgeworker.runtime.webapi.plain_proxy import fields_of
from edgeworker.runtime.webapi.sets import JsSet
from edgeworker.runtime.webapi.surplus import javascript_class


def stringify(value: object, _replacer: object = None, space: object = None) -> str:
    """Raises JsException (TypeError) for what JSON cannot hold."""
    indent = space if isinstance(space, int | str) and space else None
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        return json.dumps(plain(value), separators=separators, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise JsException("TypeError", str(error)) from None
    except RecursionError:
        raise JsException("RangeError", json_text.TOO_DEEP) from None


def parse(text: object, _reviver: object = None) -> object:
    """Raises JsException (SyntaxError, with V8's text)."""
    try:
        return as_objects(json_text.parse(text if isinstance(text, str) else str(text)))
    except RecursionError:
        raise JsException("RangeError", json_text.TOO_DEEP) from None


def plain(value: object) -> object:
    """What `json.dumps` takes, with JavaScript's rules: NaN is null, a `toJSON` method is asked. In production None is
    undefined, which an object leaves out."""
    value = fields_of(value)
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return json_text.number(value) if math.isfinite(value) else None
        case LiteralMap():
            return _plain_fields(value.items())
        case JsMap() | JsSet() | JsException():
            return {}  # neither has properties of its own: a well-known surprise
        case Mapping():
            return _plain_fields(value.items())
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case datetime():
            return value.isoformat()
        case _ if value is jsnull:
            return None
    to_json = getattr(value, "toJSON", None)
    if callable(to_json):
        return plain(to_json())
    if isinstance(value, bytes | bytearray):
        return {str(index): item for index, item in enumerate(value)}
    if isinstance(value, JsObject):
        return {}  # what standard objects have is not their own
    raise JsException("TypeError", f"JSON.stringify: {type(value).__name__} is not a value of JSON")


def _plain_fields(fields: Iterable[tuple[object, object]]) -> dict[str, object]:
    leaves_out = portability_warnings.current().has_jsnull
    return {str(key): plain(item) for key, item in fields if not (leaves_out and item is None)}


@javascript_class
class JSON:
    """The global object of that name."""

    @staticmethod
    def stringify(value: object = None, replacer: object = None, space: object = None) -> str | None:
        """None for undefined, as in production."""
        if value is None and portability_warnings.current().has_jsnull:
            return None
        return stringify(value, replacer, space)

    parse = staticmethod(parse)
