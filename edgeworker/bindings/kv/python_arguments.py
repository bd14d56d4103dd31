"""What a Python script gives to a KV call, as the JavaScript binding behind Cloudflare's SDK would take it. Pure.

Sources: workers/rpc.py of workers-runtime-sdk 1.9.5 (how arguments cross over); the coercions are recorded from workerd
in tests/conformance/cases/kv.json.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from edgeworker.config import JSON
from edgeworker.runtime.webapi import json_text
from edgeworker.runtime.webapi.ffi import JsException, JsNull
from edgeworker.runtime.webapi.plain_proxy import fields_of

_log = logging.getLogger(__name__)

_INT_LIMIT: Final = 2**31
_NULL_IS_REFUSED: Final = frozenset({"cacheTtl", "expiration", "expirationTtl", "type"})


def positional(args: Sequence[object], keywords: Mapping[str, object]) -> list[object]:
    """Keyword arguments are one object behind the positional ones, as in any call from Python to JavaScript."""
    return [*args, dict(keywords)] if keywords else [*args]


def at(arguments: Sequence[object], place: int) -> object:
    """The argument at `place` (0 is the first), or None; null is None too."""
    value = arguments[place] if place < len(arguments) else None
    return None if isinstance(value, JsNull) else value


def require_argument(arguments: Sequence[object], place: int, *, function: str, kind: str) -> object:
    """Raises JsException (TypeError) where there is none."""
    if place >= len(arguments):
        raise wrong_type(function, place, kind)
    return at(arguments, place)


def wrong_type(function: str, place: int, kind: str) -> JsException:
    return JsException(
        "TypeError", f"Failed to execute '{function}' on 'KvNamespace': parameter {place + 1} is not of type '{kind}'."
    )


def options(
    arguments: Sequence[object], place: int, *, function: str, kind: str, names: Collection[str]
) -> Mapping[str, object]:
    """The object at `place` without its members that are None: those are absent here.

    What differs on Cloudflare is logged. A name that KV does not know is ignored there too, but not silently here:
    `expiration_ttl` instead of `expirationTtl` would keep an entry for ever.
    """
    given = at(arguments, place)
    if given is None:
        return {}
    given = fields_of(given)
    if not isinstance(given, Mapping):
        raise wrong_type(function, place, kind)
    members = {str(name): value for name, value in given.items() if not (value is None or isinstance(value, JsNull))}
    if refused := [name for name in given if name in _NULL_IS_REFUSED and name not in members]:
        _log.warning(
            "KV %s() was given None for %s; newer SDKs of Cloudflare send null, which KV refuses. Leave it out.",
            function,
            ", ".join(refused),
        )
    if unknown := [name for name in members if name not in names]:
        _log.warning(
            "KV %s() has no option %s; Cloudflare ignores it too. Its options: %s.",
            function,
            ", ".join(unknown),
            ", ".join(names),
        )
    return members


def string(value: object) -> str:
    """JavaScript's String(value), for keys and names."""
    match value:
        case str():
            return str(value)
        case None | JsNull():
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(int(value))
        case float():
            return json_text.numeral(value)
        case bytes() | bytearray() | memoryview():
            return ",".join(map(str, bytes(value)))
        case list() | tuple():
            return ",".join("" if item is None or isinstance(item, JsNull) else string(item) for item in value)
        case _:
            return "[object Object]"


def integer(value: object) -> int:
    """JavaScript's number without its fraction; 0 for what is not a number. Raises JsException beyond 32 bits."""
    amount = _amount(value)
    if abs(amount) == float("inf") or amount != amount:
        return 0
    if not -_INT_LIMIT - 1 < amount < _INT_LIMIT:
        raise JsException(
            "TypeError",
            f"Value out of range. Must be between {-_INT_LIMIT} and {_INT_LIMIT - 1} (inclusive).",
        )
    return int(amount)


def _amount(value: object) -> float:
    """JavaScript's Number(value)."""
    match value:
        case bool() | int() | float():
            return value
        case str():
            return _parse_number(value.strip())
        case list():
            return _parse_number(string(value).strip())
        case _:
            return float("nan")


def _parse_number(text: str) -> float:
    if not text:
        return 0
    try:
        if text[:2].lower() in ("0x", "0o", "0b") and "_" not in text:
            return int(text, 0)
        return float(text) if text[-1] in "0123456789." and "_" not in text else float("nan")
    except ValueError:
        return float("nan")


def metadata(value: object) -> JSON:
    """What JSON.stringify makes of it. Raises TypeError for what cannot leave Python."""
    value = fields_of(value)
    match value:
        case None | JsNull():
            return None
        case str() | bool() | int():
            return value
        case float():
            return json_text.number(value) if abs(value) != float("inf") and value == value else None
        case Mapping():
            return {str(name): metadata(item) for name, item in value.items()}
        case list():
            return [metadata(item) for item in value]
        case bytes() | memoryview():
            return {str(place): item for place, item in enumerate(bytes(value))}
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case _:
            raise TypeError(f"{type(value)} cannot be sent over RPC.")
