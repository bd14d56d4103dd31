"""Load balancers in a test: which origins are healthy, set by hand or found by checks.

    edge.load_balancing.set_unhealthy("http://10.0.0.1:3000")

The origins themselves are `edge.origin`: `edge.origin.fail("/orders", 521)`, `edge.origin.on("/health", status=503)`.
"""

from collections.abc import Awaitable, Callable

from edgeworker.balancing.board import OriginBoard
from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.edge import Edge
from edgeworker.routing import Zones
from edgeworker.server.origin_checks import check_once


class LoadBalancing:
    """Use `edge.load_balancing`. An origin is named by its `url` as it is configured."""

    def __init__(self, config: Config, board: OriginBoard, clock: Clock, edge: Callable[[], Awaitable[Edge]]) -> None:
        self._board = board
        self._clock = clock
        self._edge = edge
        for zone in Zones(config.zones):
            for balancer in zone.load_balancers:
                for server in balancer.origins:
                    board.record(balancer.name, server.url)

    def set_unhealthy(self, url: str) -> None:
        """Raises LookupError where no load balancer has this origin; so do the others."""
        self._board.set_healthy(url, False)

    def set_healthy(self, url: str) -> None:
        self._board.set_healthy(url, True)

    def reset(self, url: str) -> None:
        """Checks and requests tell again."""
        self._board.set_healthy(url, None)

    def is_healthy(self, url: str) -> bool:
        """In every load balancer that has it."""
        now = self._clock.monotonic()
        return all(record.health.is_healthy(now) for record in self._board.of_origin(url))

    async def check(self) -> None:
        """One active check of each origin that has a monitor, now. They are not made by themselves in a test."""
        edge = await self._edge()
        for one in edge.balanced_servers:
            await check_once(one, self._clock)
