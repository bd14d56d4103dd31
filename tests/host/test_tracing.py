import pytest

from edgeworker.clock import SystemClock
from edgeworker.host.tracing import Tracing
from edgeworker.messages import URL, Request, Response
from edgeworker.trace import Trace


class _Then:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    async def fetch(self, request: Request, /) -> Response:
        assert request.trace is not None
        request.trace.add("note", "here", now=request.trace.started)
        if self.error is not None:
            raise self.error
        return Response(204)


async def test_the_trace_is_handed_on_with_the_response() -> None:
    seen: list[tuple[str, int | None, list[str]]] = []

    def report(request: Request, response: Response | None, trace: Trace) -> None:
        seen.append((request.url.path, response.status if response else None, [step.text for step in trace.steps]))

    await Tracing(_Then(), SystemClock(), report).fetch(Request("GET", URL.parse("http://a.example/x")))
    with pytest.raises(RuntimeError):
        await Tracing(_Then(RuntimeError()), SystemClock(), report).fetch(
            Request("GET", URL.parse("http://a.example/y"))
        )

    assert seen == [("/x", 204, ["here"]), ("/y", None, ["here"])]
