"""The values that cross between a JavaScript worker and the edge: JSON with marks, the twin of values.mjs. Pure."""

import base64
import binascii
import datetime
import math
from collections.abc import Mapping
from typing import Final

from edgeworker.config import JSON

_MARK: Final = "$ew"
_MAX_DEPTH: Final = 200


def decode(value: object, depth: int = 0) -> object:
    """What a script sent, as Python has it: undefined is None. Raises ValueError for what no script of ours sends."""
    if depth > _MAX_DEPTH:
        raise ValueError("the value is nested too deeply")
    if isinstance(value, list):
        return [decode(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    mark = value.get(_MARK)
    if mark is None:
        return {key: decode(item, depth + 1) for key, item in value.items()}
    return _marked(str(mark), value.get("value"), value, depth)


def _marked(mark: str, inner: object, value: Mapping[str, object], depth: int) -> object:
    match mark, inner:
        case "undefined", _:
            return None
        case "bigint", str():
            return int(inner)
        case "number", str():
            return {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}[inner]
        case "date", int() | float():
            return datetime.datetime.fromtimestamp(inner / 1000, datetime.UTC)
        case "bytes", str():
            try:
                return base64.b64decode(inner, validate=True)
            except binascii.Error as error:
                raise ValueError("not base64") from error
        case "map" | "object", list():
            return {_key(decode(key, depth + 1)): decode(item, depth + 1) for key, item in inner}
        case "set", list():
            return [decode(item, depth + 1) for item in inner]
        case "error", _:
            return Exception(str(value.get("message", "")))
        case _:
            raise ValueError(f'"{mark}" is not a mark of a value')


def _key(key: object) -> object:
    return key if isinstance(key, str | int | float | bool | None) else str(key)


def encode(value: object, depth: int = 0) -> JSON:
    """Raises TypeError for what cannot be sent to a script."""
    if depth > _MAX_DEPTH:
        raise TypeError("The value is nested too deeply to be sent.")
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -(2**53) < value < 2**53 else {_MARK: "bigint", "value": str(value)}
        case float():
            if math.isfinite(value):
                return value
            return {_MARK: "number", "value": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
        case bytes() | bytearray() | memoryview():
            return {_MARK: "bytes", "value": base64.b64encode(value).decode()}
        case datetime.datetime():
            return {_MARK: "date", "value": value.timestamp() * 1000}
        case list() | tuple():
            return [encode(item, depth + 1) for item in value]
        case set() | frozenset():
            return {_MARK: "set", "value": [encode(item, depth + 1) for item in value]}
        case Mapping():
            made: dict[str, JSON] = {str(key): encode(item, depth + 1) for key, item in value.items()}
            if _MARK in made:
                return {_MARK: "object", "value": [[key, item] for key, item in made.items()]}
            return made
        case BaseException():
            return {_MARK: "error", "name": "Error", "message": str(value)}
        case _:
            raise TypeError(f"{type(value).__name__} cannot be sent to a JavaScript worker.")
