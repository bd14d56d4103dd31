"""api.cloudflare.com as the workers of an edge see it: the REST API of this edge."""

from typing import Final

from edgeworker.handler import Handler
from edgeworker.messages import Request, Response

HOST: Final = "api.cloudflare.com"


class LocalCloudflareAPI:
    """Stands before the internet: what a worker fetches of api.cloudflare.com is answered here, all else goes on.

    Requests from outside never come this way. The API asks for its tokens as it always does.
    """

    def __init__(self, api: Handler, internet: Handler) -> None:
        self._api = api
        self._internet = internet

    async def fetch(self, request: Request, /) -> Response:
        if request.url.hostname.removesuffix(".") == HOST:
            return await self._api.fetch(request)
        return await self._internet.fetch(request)
