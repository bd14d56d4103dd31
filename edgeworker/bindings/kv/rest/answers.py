"""KV's errors as the REST API answers them, and what all KV endpoints need."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from edgeworker.errors import KVError, KVRule
from edgeworker.kv.namespace import KVNamespace
from edgeworker.rest.call import Call
from edgeworker.rest.errors import ApiError, KVCode

_CODES: Final[dict[KVRule, tuple[int, KVCode]]] = {
    "key name": (400, KVCode.ILLEGAL_KEY),
    "key length": (414, KVCode.KEY_TOO_LONG),
    "value": (400, KVCode.MALFORMED_BODY),
    "value length": (413, KVCode.TOO_LARGE),
    "metadata": (400, KVCode.INVALID_METADATA),
    "expiration": (400, KVCode.INVALID_EXPIRATION),
    "expiration_ttl": (400, KVCode.INVALID_EXPIRATION_TTL),
    "cache_ttl": (400, KVCode.INVALID_REQUEST),
    "limit": (400, KVCode.INVALID_LIMIT),
    "cursor": (400, KVCode.INVALID_CURSOR),
    "bulk": (400, KVCode.TOO_MANY_KEYS),
    "rate": (429, KVCode.TOO_MANY_REQUESTS),
    "namespace not found": (404, KVCode.NAMESPACE_NOT_FOUND),
    "title taken": (400, KVCode.TITLE_EXISTS),
}


@contextmanager
def kv_errors(action: str) -> Iterator[None]:
    """Turns a KVError into KV's code and wording: `put: 'namespace not found'` for the action "put"."""
    try:
        yield
    except KVError as error:
        status, code = _CODES[error.rule]
        raise make_error(action, status, code, str(error)) from error


def make_error(action: str, status: int, code: KVCode, text: str) -> ApiError:
    return ApiError(status, code, f"{action}: '{text}'")


async def namespace_of(call: Call, action: str) -> KVNamespace:
    """The namespace that the path names. Raises ApiError (404, 10013): over REST none springs into being."""
    namespace_id = call.params["namespace"]
    if await call.store.namespaces.get(namespace_id) is None:
        raise make_error(action, 404, KVCode.NAMESPACE_NOT_FOUND, "namespace not found")
    return KVNamespace(call.store, namespace_id, call.clock)
