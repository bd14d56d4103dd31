"""KV over REST: the list of keys."""

import re
from typing import Final

from edgeworker.bindings.kv.rest.answers import kv_errors, make_error, namespace_of
from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.rest.errors import KVCode

_MIN_LIMIT: Final = 10
_MAX_LIMIT: Final = 1000
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


async def list_keys(call: Call) -> Response:
    """A page of up to `limit` keys that begin with `prefix`; the last page's cursor is ""."""
    namespace = await namespace_of(call, "list keys")
    limit = _limit(call.query.get("limit") or str(_MAX_LIMIT))
    with kv_errors("list keys"):
        page = await namespace.list(
            prefix=call.query.get("prefix", ""), limit=limit, cursor=call.query.get("cursor") or None
        )
    keys: list[JSON] = [key.as_json() for key in page.keys]
    return success(keys, result_info={"count": len(keys), "cursor": page.cursor or ""})


def _limit(text: str) -> int:
    if _NUMBER.fullmatch(text) is None or not _MIN_LIMIT <= int(text) <= _MAX_LIMIT:
        explanation = f"Invalid limit of {text}. Please specify an integer from {_MIN_LIMIT} to {_MAX_LIMIT}."
        raise make_error("list keys", 400, KVCode.INVALID_LIMIT, explanation)
    return int(text)
