"""KV over REST, many keys at a time: bulk put, delete and get."""

import base64
import binascii
from typing import Final

from edgeworker.bindings.kv.rest import expiration
from edgeworker.bindings.kv.rest.answers import kv_errors, make_error, namespace_of
from edgeworker.config import JSON
from edgeworker.kv.namespace import FoundValue, KeyValuePair
from edgeworker.kv.rules import MAX_BULK_GET_KEYS, MAX_BULK_PAIRS
from edgeworker.messages import Response
from edgeworker.rest.call import Call, not_json
from edgeworker.rest.envelope import success
from edgeworker.rest.errors import KVCode
from edgeworker.rest.json_array import elements
from edgeworker.strict_json import InvalidJSON, dumps, loads

_PUT: Final = "put bulk"
_DELETE: Final = "remove bulk"
_GET: Final = "bulk get keys"


async def put_bulk(call: Call) -> Response:
    """All pairs or none: the first broken rule refuses the call."""
    namespace = await namespace_of(call, _PUT)
    now = call.clock.now()
    pairs = [_pair(item, index, call, now) for index, item in enumerate(await _items(call, _PUT))]
    with kv_errors(_PUT):
        await namespace.put_many(pairs)
    return _report_written(len(pairs))


async def delete_bulk(call: Call) -> Response:
    """Keys that are not there count as removed."""
    namespace = await namespace_of(call, _DELETE)
    keys = [_text(item, _DELETE, f"item {index}") for index, item in enumerate(await _items(call, _DELETE))]
    with kv_errors(_DELETE):
        await namespace.delete_many(keys)
    return _report_written(len(keys))


async def get_bulk(call: Call) -> Response:
    """Up to 100 keys; a missing one is null."""
    namespace = await namespace_of(call, _GET)
    asked = await call.json(KVCode.MALFORMED_BODY)
    keys = asked.get("keys") if isinstance(asked, dict) else None
    if not isinstance(asked, dict) or not isinstance(keys, list) or not keys:
        raise make_error(_GET, 400, KVCode.INVALID_REQUEST, 'the body has no list "keys" with at least one key')
    if len(keys) > MAX_BULK_GET_KEYS:
        text = f"You can request a maximum of {MAX_BULK_GET_KEYS} keys"
        raise make_error(_GET, 400, KVCode.TOO_MANY_KEYS, text)
    kind, with_metadata = asked.get("type", "text"), asked.get("withMetadata", False)
    if kind not in ("text", "json"):
        text = f'{dumps(kind)} is not a valid type. Use "json" or "text"'
        raise make_error(_GET, 400, KVCode.INVALID_REQUEST, text)
    with kv_errors(_GET):
        found = await namespace.get_many([_text(key, _GET, "a key") for key in keys])
    values: dict[str, JSON] = {}
    unreadable: list[str] = []
    for key, entry in found.items():
        try:
            values[key] = (
                None
                if entry is None
                else _show_value(entry, as_json=kind == "json", with_metadata=with_metadata is True)
            )
        except InvalidJSON:
            values[key] = None
            unreadable.append(key)
    return success({"values": values}, messages=[(KVCode.INVALID_REQUEST, _not_json(key)) for key in unreadable])


async def _items(call: Call, action: str) -> list[JSON]:
    items: list[JSON] = []
    content = await call.content()
    try:
        async for item in elements(content):
            items.append(item)
            if len(items) > MAX_BULK_PAIRS:
                text = f"The request has more than {MAX_BULK_PAIRS} items."
                raise make_error(action, 400, KVCode.TOO_MANY_KEYS, text)
    except ValueError as error:
        raise not_json(KVCode.MALFORMED_BODY, error) from None
    if not items:
        raise make_error(action, 400, KVCode.INVALID_REQUEST, "The request has no item; at least one is needed.")
    return items


def _pair(item: JSON, index: int, call: Call, now: int) -> KeyValuePair:
    where = f"item {index}"
    if not isinstance(item, dict):
        raise make_error(_PUT, 400, KVCode.MALFORMED_BODY, f"{where} is not an object")
    expires = expiration.read(
        item.get("expiration"), item.get("expiration_ttl"), now=now, relaxed=call.relaxed_expiration
    )
    return KeyValuePair(
        _text(item.get("key"), _PUT, f'"key" of {where}'),
        _value(_text(item.get("value"), _PUT, f'"value" of {where}'), _is_base64(item.get("base64"), where), where),
        expiration=expires.moment,
        expiration_ttl=expires.ttl_seconds,
        metadata=item.get("metadata"),
    )


def _text(item: JSON, action: str, where: str) -> str:
    if not isinstance(item, str):
        raise make_error(action, 400, KVCode.MALFORMED_BODY, f"{where} is not a string")
    return item


def _is_base64(given: JSON, where: str) -> bool:
    """Raises ApiError (10012): "true" taken for false would store the base64 text itself."""
    if given is None or isinstance(given, bool):
        return given is True
    raise make_error(_PUT, 400, KVCode.MALFORMED_BODY, f'"base64" of {where} is neither true nor false')


def _value(text: str, is_base64: bool, where: str) -> str | bytes:
    if not is_base64:
        return text
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise make_error(_PUT, 400, KVCode.MALFORMED_BODY, f'"value" of {where} is not base64: {error}') from None


def _show_value(entry: FoundValue, *, as_json: bool, with_metadata: bool) -> JSON:
    value: JSON = loads(entry.value, lone_surrogates=True) if as_json else entry.value.decode("utf-8", "replace")
    if not with_metadata:
        return value
    shown: dict[str, JSON] = {"value": value, "metadata": entry.metadata}
    if entry.expires_at is not None:
        shown["expiration"] = entry.expires_at
    return shown


def _not_json(key: str) -> str:
    return f'bulk get keys: \'The value of the key "{key}" is not JSON that can be read; it is null here. Use "text".\''


def _report_written(count: int) -> Response:
    return success({"successful_key_count": count, "unsuccessful_keys": []})
