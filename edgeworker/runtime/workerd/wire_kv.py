"""What workerd asks for a KV namespace, and the answers that its binding understands.

Recorded from workerd 2026-07-30. An error's reason phrase becomes the text of the script's exception:
`KV PUT failed: 400 Invalid expiration_ttl of 5. ...`.
"""

import json
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import parse_qs, unquote

from edgeworker.errors import KVError, KVRule, KVTypeError
from edgeworker.kv import rules
from edgeworker.kv.namespace import FoundStream, FoundValue, KeyListPage, KVNamespace
from edgeworker.messages import Body, Headers, Request, Response
from edgeworker.runtime.workerd.kept_reads import Expiries
from edgeworker.strict_json import InvalidJSON, loads

_BULK_BYTES: Final = 1024 * 1024
_METADATA: Final = "CF-KV-Metadata"
_LINE_BREAKS: Final = str.maketrans("\r\n", "  ")


async def answer_kv(request: Request, namespace: KVNamespace, expiries: Expiries) -> Response:
    """`expiries` are told when what is read expires. Raises StoreError where storage fails."""
    target = request.raw_target or request.url.target
    path, _, query = target.partition("?")
    options = parse_qs(query, keep_blank_values=True)
    try:
        if request.method == "POST" and path == "/bulk/get":
            return await _get_many(request, namespace)
        if request.method == "GET" and path == "/":
            return await _list(namespace, options)
        key = unquote(path.removeprefix("/"), errors="surrogateescape")
        match request.method:
            case "GET":
                return await _get(namespace, key, options, expiries)
            case "PUT":
                return await _put(request, namespace, key, options)
            case "DELETE":
                await namespace.delete(key)
                return Response(200)
            case _:
                return Response(405)
    except KVError as error:
        return Response(error.status, body=str(error).encode(), status_text=_to_one_line(str(error)))


async def _get(namespace: KVNamespace, key: str, options: dict[str, list[str]], expiries: Expiries) -> Response:
    found: FoundValue | FoundStream | None
    found = await namespace.get_stream(key, cache_ttl=_read_integer(options, "cache_ttl"))
    if found is None:
        return Response(404)
    expiries.add(found.expires_at)
    headers = Headers({_METADATA: json.dumps(found.metadata)}) if found.metadata is not None else Headers()
    return Response(200, headers, Body(found.pieces, length=found.size))


async def _get_many(request: Request, namespace: KVNamespace) -> Response:
    told = json.loads(b"{}" if request.body is None else await request.body.read(limit=_BULK_BYTES))
    kind, with_metadata = told.get("type", "text"), bool(told.get("withMetadata"))
    if kind not in ("text", "json"):
        return Response(400, status_text=_to_one_line(f'"{kind}" is not a valid type. Use "json" or "text"'))
    is_json = kind == "json"
    ttl = told.get("cacheTtl")
    found = await namespace.get_many(told.get("keys", []), cache_ttl=None if ttl is None else int(ttl))
    values: dict[str, object] = {}
    for key, entry in found.items():
        if entry is None:
            values[key] = None
            continue
        text = entry.value.removeprefix(_BYTE_ORDER_MARK).decode("utf-8", "replace")
        try:
            value: object = loads(text, lone_surrogates=True) if is_json else text
        except InvalidJSON:
            # miniflare's text for a value that is not JSON
            return Response(400, status_text="At least one of the requested keys corresponds to a non-json value")
        values[key] = {"value": value, "metadata": entry.metadata} if with_metadata else value
    return Response(200, Headers({"Content-Type": "application/json"}), json.dumps(values).encode())


async def _put(request: Request, namespace: KVNamespace, key: str, options: dict[str, list[str]]) -> Response:
    # workerd writes UTF-8, whatever our headers read bytes as.
    metadata = next((value for name, value in request.headers.raw if name.lower() == _METADATA.lower().encode()), None)
    value: bytes | AsyncIterator[bytes] = b""
    if request.body is not None:
        value = request.body.complete if request.body.complete is not None else request.body.stream()
    await namespace.put(
        key,
        value,
        expiration=_read_integer(options, "expiration"),
        expiration_ttl=_read_integer(options, "expiration_ttl"),
        metadata=None if metadata is None else loads(metadata, lone_surrogates=True),
    )
    return Response(200)


async def _list(namespace: KVNamespace, options: dict[str, list[str]]) -> Response:
    page = await namespace.list(
        prefix=options.get("prefix", [""])[0],
        limit=_read_integer(options, "key_count_limit"),
        cursor=rules.cursor_of_script(options.get("cursor", [""])[0]),
    )
    return Response(200, Headers({"Content-Type": "application/json"}), json.dumps(_describe_page(page)).encode())


def _describe_page(page: KeyListPage) -> dict[str, object]:
    keys = []
    for key in page.keys:
        told: dict[str, object] = {"name": key.name}
        if key.expires_at is not None:
            told["expiration"] = key.expires_at
        if key.metadata is not None:
            told["metadata"] = json.dumps(key.metadata)  # workerd parses it once more
        keys.append(told)
    made: dict[str, object] = {"keys": keys, "list_complete": page.cursor is None, "cacheStatus": None}
    if page.cursor is not None:
        made["cursor"] = page.cursor
    return made


_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"  # a bulk answer is decoded without it
_RULES: Final[dict[str, KVRule]] = {
    "cache_ttl": "cache_ttl",
    "expiration": "expiration",
    "expiration_ttl": "expiration_ttl",
    "key_count_limit": "limit",
}


def _read_integer(options: dict[str, list[str]], name: str) -> int | None:
    """workerd has coerced what the script gave to a number already; what is left is checked by KV's rules."""
    text = options.get(name, [""])[0]
    if not text:
        return None
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        raise KVTypeError(
            f"Invalid {name} of {text}. Please specify integer greater than 0.", rule=_RULES[name]
        ) from None


def _to_one_line(text: str) -> str:
    return text.translate(_LINE_BREAKS).encode("latin-1", "replace").decode("latin-1")
