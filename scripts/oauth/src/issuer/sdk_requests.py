"""Reads requests of the `workers` module and rate limit bindings, for both workers. Bounded."""

from issuer.store_bindings import Unavailable
from verifier.remote import BodyCarrier, bytes_of


def path_and_query(url: str) -> tuple[str, str]:
    """The path, which the edge made canonical, and what follows "?" ("" without a query)."""
    path, _, query = url.partition("://")[2].partition("/")[2].partition("?")
    return "/" + path, query


async def read_bounded(message: BodyCarrier, limit: int) -> bytes:
    """The body, or its beginning if it is larger than `limit` bytes: enough to see that it is."""
    content = b""
    if message.body:  # null of JavaScript is not None in newer runtimes, and false in all
        reader = message.body.getReader()
        while not (result := await reader.read()).done:
            content += bytes_of(result.value)
            if len(content) > limit:
                await reader.cancel()
                break
    return content


async def check_rate_limit(env: object, name: str, key: str) -> bool:
    """Whether the rate limit binding `name` allows `key`; True without such a binding. Raises Unavailable."""
    limit = getattr(env, name, None)
    if limit is None:
        return True
    try:
        return bool((await limit.limit(key=key)).success)
    except Exception as error:  # noqa: BLE001  however it fails, no one may try without a limit
        raise Unavailable(f"{name}: {error!r}") from None
