"""Gives each request a trace and hands it on when the answer is there: `dev --trace`, and failing tests."""

from collections.abc import Callable

from edgeworker.clock import Clock
from edgeworker.handler import Handler
from edgeworker.messages import Request, Response
from edgeworker.trace import Trace


class Tracing:
    """A Handler in front of another. `report` gets the request, the response (None if there is none) and the trace."""

    def __init__(self, then: Handler, clock: Clock, report: Callable[[Request, Response | None, Trace], None]) -> None:
        self._then = then
        self._clock = clock
        self._report = report

    async def fetch(self, request: Request, /) -> Response:
        trace = Trace(self._clock.monotonic())
        response: Response | None = None
        try:
            response = await self._then.fetch(request.replace(trace=trace))
        finally:
            self._report(request, response, trace)
        return response
