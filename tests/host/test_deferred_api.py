"""The REST API is made with its first request."""

from edgeworker.config import Config
from edgeworker.host.deferred_api import DeferredApi
from edgeworker.messages import URL, Headers, Request, Response

FIRST, SECOND, THIRD = (Config(account_id=name) for name in ("one", "two", "three"))


class _Api:
    def __init__(self) -> None:
        self.config = FIRST

    async def fetch(self, request: Request, /) -> Response:
        return Response(200, Headers({"x-account": self.config.account_id}))


async def _account(api: DeferredApi) -> str | None:
    return (await api.fetch(Request("GET", URL.parse("http://api.test/")))).headers.get("x-account")


async def test_it_is_made_once_and_follows_the_configuration() -> None:
    made: list[_Api] = []

    def make() -> _Api:
        made.append(_Api())
        return made[-1]

    api = DeferredApi(FIRST, make)
    api.config = SECOND
    assert made == []

    assert await _account(api) == "two"
    api.config = THIRD
    assert await _account(api) == "three"

    assert len(made) == 1
    assert api.config is THIRD
