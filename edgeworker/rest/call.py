"""One authorised call of one endpoint: what an endpoint function is given, and how it reads a body of JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edgeworker.clock import Clock
from edgeworker.config import JSON, Config
from edgeworker.kv.store import KVStore
from edgeworker.messages import BodyTooLarge, Request
from edgeworker.rest.errors import ApiError, Code, KVCode
from edgeworker.rest.permissions import Principal
from edgeworker.state import State
from edgeworker.strict_json import loads

if TYPE_CHECKING:
    from edgeworker.publishing import WorkerPublisher

# https://developers.cloudflare.com/kv/platform/limits/: a bulk write's body, the largest JSON that the API takes.
MAX_JSON_BYTES: Final = 100 * 1024 * 1024
# Any other body: it is parsed in one go, which holds up the edge's other requests.
MAX_OBJECT_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """`params` are the path's, decoded once; `query` has the last value of each name.

    With `relaxed_expiration` a moment less than 60 seconds ahead is moved to 60 seconds ahead instead of refused.
    `publisher` None: nothing can be published into this edge.
    """

    request: Request
    params: Mapping[str, str]
    query: Mapping[str, str]
    principal: Principal
    config: Config
    store: KVStore
    state: State
    clock: Clock
    relaxed_expiration: bool
    publisher: "WorkerPublisher | None" = None

    async def content(self, *, limit: int = MAX_JSON_BYTES) -> bytes:
        """The body whole. Raises ApiError (413) beyond `limit` bytes, early where the length is announced."""
        body = self.request.body
        if body is None:
            return b""
        too_large = ApiError(413, KVCode.TOO_LARGE, f"The request's body is larger than {limit} bytes.")
        if body.length is not None and body.length > limit:
            raise too_large
        try:
            return await body.read(limit=limit)
        except BodyTooLarge:
            raise too_large from None

    async def json(self, code: Code) -> JSON:
        """The body as JSON. Raises ApiError: 400 with `code` if it is not JSON, 413 for too much of it."""
        content = await self.content(limit=MAX_OBJECT_BYTES)
        try:
            return loads(content)
        except ValueError as error:
            raise not_json(code, error) from None


def not_json(code: Code, error: ValueError) -> ApiError:
    why = f"it is not UTF-8 text (byte {error.start})" if isinstance(error, UnicodeDecodeError) else str(error)
    return ApiError(400, code, f"could not parse the request's body as JSON: {why}")
