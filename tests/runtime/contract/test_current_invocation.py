import asyncio

import pytest

from edgeworker.handler import Background, Context
from edgeworker.messages import URL, Request, Response
from edgeworker.runtime.contract import current_invocation


class _Nowhere:
    async def fetch(self, request: Request, /) -> Response:
        raise AssertionError("no subrequest was wanted")


def _context(path: str) -> Context:
    request = Request("GET", URL.parse(f"http://example.com{path}"))
    return Context(request, name="w", background=Background(), subrequest=_Nowhere())


def test_outside_of_a_handler_there_is_no_invocation() -> None:
    assert current_invocation.current_or_none() is None
    with pytest.raises(RuntimeError, match="not at the top level of the script"):
        current_invocation.current()


async def test_each_of_two_invocations_at_once_sees_its_own_context() -> None:
    async def seen(path: str) -> str:
        with current_invocation.enter_invocation(_context(path)):
            await asyncio.sleep(0)
            return await asyncio.to_thread(lambda: current_invocation.current().request.url.path)

    assert list(await asyncio.gather(seen("/a"), seen("/b"))) == ["/a", "/b"]
    assert current_invocation.current_or_none() is None
