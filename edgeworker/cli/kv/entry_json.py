"""One entry as JSON: what `kv export` writes, `kv import` and `kv bulk put` read. Pure.

{"key", "value", "base64"?, "expiration"?, "expiration_ttl"?, "metadata"?}; a value that is not UTF-8 is base64.
"""

import base64
import binascii
import json

from edgeworker.config import JSON
from edgeworker.errors import ConfigError
from edgeworker.kv.namespace import KeyValuePair, ListResultKey


def line_of(key: ListResultKey, value: bytes) -> str:
    """One line, without its end."""
    written: dict[str, JSON] = {"key": key.name}
    try:
        written["value"] = value.decode()
    except UnicodeDecodeError:
        written |= {"value": base64.b64encode(value).decode(), "base64": True}
    if key.expires_at is not None:
        written["expiration"] = key.expires_at
    if key.metadata is not None:
        written["metadata"] = key.metadata
    return json.dumps(written, ensure_ascii=False, separators=(",", ":"))


def pair_of(item: JSON, where: str) -> KeyValuePair:
    """`where` is for the text of the ConfigError that is raised for what is not an entry."""
    if not isinstance(item, dict):
        raise ConfigError(f'{where} is not an object with "key" and "value"')
    key, value = item.get("key"), item.get("value")
    if not isinstance(key, str):
        raise ConfigError(f'{where}: "key" is not a string')
    if not isinstance(value, str):
        raise ConfigError(f'{where}: "value" is not a string')
    content: str | bytes = value
    if item.get("base64") is True:
        try:
            content = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise ConfigError(f'{where}: "value" is not base64') from None
    return KeyValuePair(
        key,
        content,
        expiration=_seconds(item, "expiration", where),
        expiration_ttl=_seconds(item, "expiration_ttl", where),
        metadata=item.get("metadata"),
    )


def _seconds(item: dict[str, JSON], name: str, where: str) -> int | None:
    match item.get(name):
        case None:
            return None
        case int(seconds) if not isinstance(seconds, bool):
            return seconds
        case other:
            raise ConfigError(f'{where}: "{name}" is {json.dumps(other)}, not a number of seconds')
