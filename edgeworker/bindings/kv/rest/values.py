"""KV over REST, one key at a time: values and metadata."""

import logging
from collections.abc import AsyncIterator
from typing import Final

from edgeworker.bindings.kv.rest import expiration
from edgeworker.bindings.kv.rest.answers import kv_errors, make_error, namespace_of
from edgeworker.config import JSON
from edgeworker.kv.rules import MAX_VALUE_BYTES, check_value_length
from edgeworker.messages import Body, Headers, Response
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.rest.errors import ApiError, KVCode
from edgeworker.rest.multipart import MultipartRefused, PartTooLarge, boundary_of, read_parts
from edgeworker.strict_json import loads

_log = logging.getLogger(__name__)

# More than KV's 1024 bytes, so that spaces around and inside the JSON do not count against it.
_MAX_METADATA_PART_BYTES: Final = 64 * 1024
_MAX_FORM_BYTES: Final = MAX_VALUE_BYTES + 1024 * 1024
# Smaller values are taken whole: one write instead of a row and its pieces.
_WHOLE_BYTES: Final = 64 * 1024


async def get_value(call: Call) -> Response:
    """The value's bytes as they are, without the envelope; the expiry is in the header `expiration`."""
    namespace = await namespace_of(call, "get")
    with kv_errors("get"):
        found = await namespace.get_stream(call.params["key"])
    if found is None:
        raise _key_not_found()
    headers = Headers(
        {"content-type": "application/octet-stream", "cache-control": "no-store", "x-content-type-options": "nosniff"}
    )
    if found.expires_at is not None:
        headers.set("expiration", str(found.expires_at))
    return Response(200, headers, Body(found.pieces, length=found.size))


async def put_value(call: Call) -> Response:
    """The body raw, whatever its type says, or as a form with the parts `value` and `metadata`."""
    namespace = await namespace_of(call, "put")
    expires = expiration.read(
        call.query.get("expiration"),
        call.query.get("expiration_ttl"),
        now=call.clock.now(),
        relaxed=call.relaxed_expiration,
    )
    boundary = boundary_of(call.request.headers.get("content-type"))
    body = call.request.body or Body(b"")
    with kv_errors("put"):
        value, metadata = await (_raw(call, body) if boundary is None else _form(body, boundary))
        await namespace.put(
            call.params["key"],
            value,
            expiration=expires.moment,
            expiration_ttl=expires.ttl_seconds,
            metadata=metadata,
        )
    return success(None)


async def delete_value(call: Call) -> Response:
    namespace = await namespace_of(call, "remove key")
    with kv_errors("remove key"):
        await namespace.delete(call.params["key"])
    return success(None)


async def get_metadata(call: Call) -> Response:
    namespace = await namespace_of(call, "get")
    with kv_errors("get"):
        found = await namespace.get_stream(call.params["key"])
    if found is None:
        raise _key_not_found()
    return success(found.metadata)


def _key_not_found() -> ApiError:
    return make_error("get", 404, KVCode.KEY_NOT_FOUND, "key not found")


async def _raw(call: Call, body: Body) -> tuple[bytes | AsyncIterator[bytes], JSON]:
    headers = call.request.headers
    kind = (headers.get("content-type") or "").partition(";")[0].strip().lower()
    if kind == "application/json" and headers.has("x-stainless-lang"):
        _log.warning(
            "a Cloudflare SDK wrote a KV value as application/json: the JSON text itself is the value now, as on "
            "Cloudflare. That is a bug of the SDK (%s %s; cloudflare-python issue 2519, cloudflare-typescript 2593, "
            "cloudflare-go 3911); update it, or send the value raw.",
            headers.get("x-stainless-lang"),
            headers.get("x-stainless-package-version"),
        )
    if body.length is not None:
        check_value_length(body.length)
        if body.length <= _WHOLE_BYTES:
            return await body.read(), None
    return body.stream(), None


async def _form(body: Body, boundary: str) -> tuple[bytes | AsyncIterator[bytes], JSON]:
    try:
        parts = await read_parts(
            body.stream(),
            boundary=boundary,
            limits={"value": MAX_VALUE_BYTES, "metadata": _MAX_METADATA_PART_BYTES},
            total_limit=_MAX_FORM_BYTES,
        )
    except MultipartRefused as error:
        raise make_error("put", 400, KVCode.MALFORMED_BODY, str(error)) from error
    except PartTooLarge as error:
        code = KVCode.INVALID_METADATA if error.name == "metadata" else KVCode.TOO_LARGE
        raise make_error("put", 400 if error.name == "metadata" else 413, code, str(error)) from error
    if "value" not in parts:
        raise make_error("put", 400, KVCode.MALFORMED_BODY, 'the form has no part "value"')
    value = parts["value"]
    whole = b"".join(value) if sum(map(len, value)) <= _WHOLE_BYTES else _pieces(value)
    return whole, _metadata(b"".join(parts.get("metadata", ())))


def _metadata(text: bytes) -> JSON:
    if not text.strip():
        return None
    try:
        return loads(text, lone_surrogates=True)
    except ValueError as error:
        raise make_error("put", 400, KVCode.INVALID_METADATA, f"metadata is not JSON: {error}") from error


async def _pieces(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
