"""`JSON` of JavaScript: no spaces, no ASCII escapes, undefined left out."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi import json_text
from edgeworker.runtime.webapi.array_methods import call_for_item, items_of
from edgeworker.runtime.webapi.base import JsObject
from edgeworker.runtime.webapi.data import JsMap, LiteralMap, as_objects
from edgeworker.runtime.webapi.ffi import JsDict, JsException, jsnull
from edgeworker.runtime.webapi.plain_proxy import fields_of
from edgeworker.runtime.webapi.sets import JsSet
from edgeworker.runtime.webapi.strings import to_string
from edgeworker.runtime.webapi.surplus import javascript_class
from edgeworker.runtime.webapi.values import BooleanObject


def stringify(value: object, replacer: object = None, space: object = None) -> str:
    """Raises JsException (TypeError) for what JSON cannot hold."""
    if callable(replacer):
        value = _replace(replacer, "", value)
    elif (names := items_of(replacer)) is not None:
        value = _keep(frozenset(map(to_string, names)), value)
    indent = space if isinstance(space, int | str) and space else None
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        fields = plain(value, is_text=True)
        return json.dumps(fields, separators=separators, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise JsException("TypeError", str(error)) from None
    except RecursionError:
        raise JsException("RangeError", json_text.TOO_DEEP) from None


def parse(text: object, reviver: object = None) -> object:
    """Raises JsException (SyntaxError, with V8's text)."""
    try:
        value = as_objects(json_text.parse(text if isinstance(text, str) else str(text)))
        return _revive(reviver, "", value) if callable(reviver) else value
    except RecursionError:
        raise JsException("RangeError", json_text.TOO_DEEP) from None


def _replace(replacer: Callable[..., object], name: str, value: object) -> object:
    """What a script's function makes of a value and of all that is in it: the outer before the inner."""
    to_json = getattr(value, "toJSON", None)
    value = call_for_item(replacer, name, to_json() if callable(to_json) else value)
    fields = dict(value.items()) if isinstance(value, LiteralMap) else fields_of(value)
    match fields:
        case JsMap():
            return value
        case Mapping():
            return JsDict((str(key), _replace(replacer, str(key), item)) for key, item in fields.items())
        case list() | tuple():
            return [_replace(replacer, str(index), item) for index, item in enumerate(fields)]
        case _:
            return value


def _keep(names: frozenset[str], value: object) -> object:
    """The value with the fields of these names only, at every depth."""
    fields = dict(value.items()) if isinstance(value, LiteralMap) else fields_of(value)
    match fields:
        case JsMap():
            return value
        case Mapping():
            return JsDict((str(key), _keep(names, item)) for key, item in fields.items() if str(key) in names)
        case list() | tuple():
            return [_keep(names, item) for item in fields]
        case _:
            return value


def _revive(reviver: Callable[..., object], name: str, value: object) -> object:
    """What a script's function makes of a parsed value: the inner before the outer."""
    fields = fields_of(value)
    if isinstance(fields, dict):
        for key, item in list(fields.items()):
            made = _revive(reviver, key, item)
            if made is None:
                del fields[key]
            else:
                fields[key] = made
    elif isinstance(fields, list):
        fields[:] = [_revive(reviver, str(index), item) for index, item in enumerate(fields)]
    return call_for_item(reviver, name, value)


def plain(value: object, *, is_text: bool = False) -> object:
    """What `json.dumps` takes, with JavaScript's rules: NaN is null, a `toJSON` method is asked. In production None is
    undefined, which an object leaves out. With `is_text` as JSON.stringify, which refuses ints beyond 2**53, and to
    which functions are undefined."""
    value = fields_of(value)
    match value:
        case None | bool() | str():
            return value
        case int():
            if is_text and abs(value) > json_text.MAX_SAFE_INTEGER and _refuses_big_int():
                raise JsException("TypeError", "Do not know how to serialize a BigInt")
            return value
        case float():
            return json_text.number(value) if math.isfinite(value) else None
        case LiteralMap():
            own = ((key, item) for key, item in value.items() if isinstance(key, str))
            return _plain_fields(own, is_text)
        case JsMap() | JsSet() | JsException():
            return {}  # neither has properties of its own: a well-known surprise
        case Mapping():
            return _plain_fields(value.items(), is_text)
        case list() | tuple() | set() | frozenset():
            return [plain(item, is_text=is_text) for item in value]
        case datetime():
            return value.isoformat()
        case BooleanObject():
            return value.valueOf()
        case _ if value is jsnull or (is_text and is_function(value)):
            return None
    to_json = getattr(value, "toJSON", None)
    if callable(to_json):
        return plain(to_json(), is_text=is_text)
    if isinstance(value, bytes | bytearray):
        return {str(index): item for index, item in enumerate(value)}
    if isinstance(value, JsObject):
        return {}  # what standard objects have is not their own
    raise JsException("TypeError", f"JSON.stringify: {type(value).__name__} is not a value of JSON")


def is_function(value: object) -> bool:
    return callable(value) and not isinstance(value, JsObject)


def _plain_fields(fields: Iterable[tuple[object, object]], is_text: bool) -> dict[str, object]:
    leaves_out = portability_warnings.current().has_jsnull
    return {
        str(key): plain(item, is_text=is_text)
        for key, item in fields
        if not (is_text and is_function(item)) and not (leaves_out and item is None)
    }


def _refuses_big_int() -> bool:
    what = "an int beyond 2**53 is a BigInt on Cloudflare, and JSON.stringify refuses it"
    return portability_warnings.is_refused(what, "use json.dumps(), or a str")


@javascript_class
class JSON:
    """The global object of that name."""

    @staticmethod
    def stringify(value: object = None, replacer: object = None, space: object = None) -> str | None:
        """None for undefined, as in production."""
        if is_function(value) or (value is None and portability_warnings.current().has_jsnull):
            return None
        return stringify(value, replacer, space)

    parse = staticmethod(parse)
