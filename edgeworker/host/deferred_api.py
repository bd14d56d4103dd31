"""The REST API of an edge, made with its first request: to load it is a thirtieth of a start, and most edges are never
asked.
"""

from collections.abc import Callable

from edgeworker.config import Config
from edgeworker.host.sockets import ManagementApi
from edgeworker.messages import Request, Response


class DeferredApi:
    """`make` is called once; what it makes follows `config` from then on."""

    def __init__(self, config: Config, make: Callable[[], ManagementApi]) -> None:
        self._config = config
        self._make = make
        self._api: ManagementApi | None = None

    @property
    def config(self) -> Config:
        return self._config

    @config.setter
    def config(self, config: Config) -> None:
        self._config = config
        if self._api is not None:
            self._api.config = config

    async def fetch(self, request: Request, /) -> Response:
        if self._api is None:
            self._api = self._make()
            self._api.config = self._config
        return await self._api.fetch(request)
