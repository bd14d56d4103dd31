"""`JSON` of JavaScript: no spaces, no ASCII escapes, undefined left out."""

import json
import math
from collections.abc import Mapping
from datetime import datetime

from edgeworker.runtime.webapi import json_text
from edgeworker.runtime.webapi.base import JsObject
from edgeworker.runtime.webapi.data import JsMap, JsSet, LiteralMap, js_lists
from edgeworker.runtime.webapi.ffi import JsException, jsnull
from edgeworker.runtime.webapi.surplus import javascript_class


def stringify(value: object, _replacer: object = None, space: object = None) -> str:
    """Raises JsException (TypeError) for what JSON cannot hold."""
    indent = space if isinstance(space, int | str) and space else None
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        return json.dumps(plain(value), separators=separators, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise JsException("TypeError", str(error)) from None


def parse(text: object, _reviver: object = None) -> object:
    """Raises JsException (SyntaxError, with V8's text)."""
    return js_lists(json_text.parse(text if isinstance(text, str) else str(text)))


def plain(value: object) -> object:
    """What `json.dumps` takes, with JavaScript's rules: NaN is null, a `toJSON` method is asked."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return json_text.number(value) if math.isfinite(value) else None
        case LiteralMap():
            return {str(key): plain(item) for key, item in value.entries()}
        case JsMap() | JsSet() | JsException():
            return {}  # neither has properties of its own: a well-known surprise
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
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


@javascript_class
class JSON:
    """The global object of that name."""

    stringify = staticmethod(stringify)
    parse = staticmethod(parse)
