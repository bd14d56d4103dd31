"""api.cloudflare.com, as workers fetch it."""

import pytest

from edgeworker.host.cloudflare_api import LocalCloudflareAPI
from edgeworker.messages import URL, Request, Response


class Named:
    def __init__(self, name: str) -> None:
        self._name = name

    async def fetch(self, request: Request, /) -> Response:
        return Response(200, body=self._name.encode())


@pytest.mark.parametrize(
    ("url", "answers"),
    [
        ("https://api.cloudflare.com/client/v4/zones", b"api"),
        ("https://API.cloudflare.com./client/v4/zones", b"api"),
        ("https://api.cloudflare.com.evil.test/client/v4/zones", b"internet"),
        ("https://www.cloudflare.com/", b"internet"),
    ],
)
async def test_one_host_is_answered_here(url: str, answers: bytes) -> None:
    handler = LocalCloudflareAPI(Named("api"), Named("internet"))

    response = await handler.fetch(Request("GET", URL.parse(url)))

    assert response.body is not None
    assert await response.body.read() == answers
