"""What both workers read of a request of the `workers` module, and of a rate limit. Bounded; imports no binding."""

from issuer.unavailable import Unavailable


def method(request):
    """The method, or "" for one that Python's http.HTTPMethod does not know."""
    try:
        return str(request.method)
    except KeyError:
        return ""


def path_and_query(request):
    """The path as the edge has it, which is canonical, and what follows "?" ("" where nothing does)."""
    path, _, query = request.url.partition("://")[2].partition("/")[2].partition("?")
    return "/" + path, query


async def bounded(readable, limit):
    """The body, or its beginning where it is larger than `limit` bytes: enough to see that it is."""
    content = b""
    if readable.body is not None:
        reader = readable.body.getReader()
        while not (piece := await reader.read()).done:
            content += piece.value.to_bytes()
            if len(content) > limit:
                await reader.cancel()
                break
    return content


async def may_try(env, name, key):
    """Whether the rate limit of this name lets `key` through; True where none is bound. Raises Unavailable."""
    limit = getattr(env, name, None)
    if limit is None:
        return True
    try:
        return bool((await limit.limit(key=key)).success)
    except Exception as error:  # noqa: BLE001  whatever goes wrong with it, nobody may guess without a limit
        raise Unavailable(f"{name}: {error!r}") from None
