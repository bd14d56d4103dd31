"""The last link of every chain: refuses the edge's own paths and ambiguous ones, and resolves the others."""

from typing import Final

from edgeworker.admission import Refusal
from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.edge import pages
from edgeworker.edge.clients import is_public_client
from edgeworker.edge.destinations import Destinations
from edgeworker.messages import URL, Request, Response
from edgeworker.routing import Resolver, RunWorker, ToOrigin, alternative_paths

# Paths that belong to the edge, on every host.
RESERVED: Final = "/cdn-cgi/"

_AMBIGUOUS: Final = Refusal(
    400, 'An origin may take the path for one that goes another way here; write it without "//", ";" and "%2F".'
)


class Dispatcher:
    """A Handler, the same one for all zones."""

    def __init__(self, config: Config, resolver: Resolver, destinations: Destinations, clock: Clock) -> None:
        self._config = config
        self._resolver = resolver
        self._destinations = destinations
        self._clock = clock

    async def fetch(self, request: Request, /) -> Response:
        path = request.url.path
        if path.startswith(RESERVED):
            return pages.answer(pages.RESERVED, request, rule="paths under /cdn-cgi/ belong to the edge")
        resolution = self._resolver.resolve(request.url)
        if (
            isinstance(resolution, RunWorker)
            and resolution.matched_by == "default worker"
            and not self._config.default_on_every_host
            and is_public_client(request.client)
        ):
            # Someone on the internet calls this machine "localhost", to get past the routes of its real names.
            resolution = ToOrigin(resolution.zone, self._config.origin)
        for other in alternative_paths(path):
            if self._is_other_destination(request.url, other, resolution):
                return pages.refuse(_AMBIGUOUS, _where(resolution), rule="paths that servers read in two ways")
        if request.trace is not None:
            self._note(request, resolution)
        return await self._destinations.answer(request, resolution)

    def _is_other_destination(self, url: URL, path: str, resolution: RunWorker | ToOrigin) -> bool:
        """Whether a worker, or the edge itself, would be passed by if the origin took the URL's path for `path`."""
        if path.startswith(RESERVED):
            return True
        other = self._resolver.resolve(URL(url.scheme, url.hostname, url.port, path, url.query))
        if not isinstance(other, RunWorker):
            return False
        return not isinstance(resolution, RunWorker) or resolution.worker != other.worker

    def _note(self, request: Request, resolution: RunWorker | ToOrigin) -> None:
        trace, now = request.trace, self._clock.monotonic()
        assert trace is not None
        zone = resolution.zone
        trace.add("zone", f"{request.url.host} -> {'no zone' if zone is None else zone.name}", now=now)
        route = "no route" if resolution.route is None else resolution.route.pattern
        match resolution:
            case RunWorker(worker, matched_by):
                trace.add("route", f"{route} -> worker {worker} (by {matched_by})", now=now)
            case ToOrigin(_, origin):
                trace.add("route", f"{route} -> {'no origin' if origin is None else f'origin {origin}'}", now=now)


def _where(resolution: RunWorker | ToOrigin) -> str:
    match resolution:
        case RunWorker(worker, matched_by):
            return f"as it is written it goes to worker {worker} (by {matched_by})"
        case ToOrigin():
            return "as it is written it goes to the origin; read otherwise it would go to a worker or the edge"
