"""Which values are one in a Set and a Map of JavaScript.

For Python 1, 1.0 and True are one key; JavaScript has numbers and truth values apart, and objects are each their own.
Source: https://tc39.es/ecma262/#sec-samevaluezero
"""

import math
from collections.abc import Iterable

from edgeworker.runtime.webapi.ffi import JsException, JsNull
from edgeworker.runtime.webapi.json_text import number


def identify(value: object) -> object:
    """A key of a dict that two values have in common if they are the same for JavaScript.

    Numbers and texts are such keys themselves; an object must be kept alive as long as its key is used.
    """
    match value:
        case str() | None | JsNull():
            return value
        case bool():
            return ("boolean", value)
        case float() if math.isnan(value):
            return ("number", "NaN")
        case int() | float():
            return value
        case _:
            return ("object", id(value))


def as_kept(value: object) -> object:
    """As JavaScript keeps a number: there is no negative zero among the keys, and 1.0 is 1."""
    return number(value) if isinstance(value, float) and math.isfinite(value) else value


def refuse_ambiguous(keys: Iterable[object], kind: str) -> None:
    """A set or dict of Python cannot hold them all. Raises JsException, in the words of pyodide."""
    numbers = {key for key in keys if isinstance(key, int | float) and not isinstance(key, bool)}
    for truth, text in ((True, "1 and true"), (False, "0 and false")):
        if int(truth) in numbers and any(key is truth for key in keys):
            raise JsException(
                "Error", f"Cannot faithfully convert {kind} into Python since it contains both {text} as keys."
            )
