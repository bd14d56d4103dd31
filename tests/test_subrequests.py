from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import Config, CustomDomain, Route, Worker, Zone
from edgeworker.errors import OriginError
from edgeworker.messages import URL, Headers, Request, Response
from edgeworker.routing import Resolver, RunWorker, ToOrigin
from edgeworker.subrequests import Internet, SubrequestRouter, Subrequests, ThisEdge, route_subrequest
from edgeworker.trace import Trace

NO_FILE = Path("/nowhere/worker.py")

CONFIG = Config(
    workers=(
        Worker("api", NO_FILE),
        Worker("shop", NO_FILE, workers_dev=True),
        Worker("other", NO_FILE),
    ),
    zones=(
        Zone("example.com", "z1", origin="http://127.0.0.1:3000"),
        Zone("other.test", "z2"),
    ),
    routes=(
        Route("example.com/*", "api", zone="example.com"),
        Route("*.example.com/api/*", "api", zone="example.com"),
        Route("other.test/*", "other", zone="other.test"),
        Route("*/*", "api"),
    ),
    custom_domains=(CustomDomain("shop.example.com", "shop", zone="example.com"), CustomDomain("solo.test", "shop")),
    default_worker="api",
)
RESOLVER = Resolver(CONFIG)
EXAMPLE = RESOLVER.zones.of("example.com")
OTHER = RESOLVER.zones.of("other.test")


def _destination(incoming: str, zone: Zone | None, url: str) -> object:
    return route_subrequest(URL.parse(url), incoming=URL.parse(incoming), zone=zone, resolver=RESOLVER)


# https://developers.cloudflare.com/workers/configuration/routing/: rows of "Routes versus custom domains"
@pytest.mark.parametrize(
    "url",
    ["https://example.com/", "https://example.com/api/x", "https://www.example.com/api/x", "http://example.com:81/"],
)
def test_a_route_of_the_own_zone_is_never_the_target(url: str) -> None:
    assert _destination("https://example.com/", EXAMPLE, url) == ToOrigin(EXAMPLE, "http://127.0.0.1:3000")


def test_a_custom_domain_of_the_own_zone_is() -> None:
    destination = _destination("https://example.com/", EXAMPLE, "https://shop.example.com/api/x")

    assert destination == RunWorker("shop", "custom domain", EXAMPLE)


def test_another_zone_is_asked_as_a_whole() -> None:
    assert _destination("https://example.com/", EXAMPLE, "https://other.test/") == ThisEdge()
    assert _destination("https://other.test/", OTHER, "https://example.com/") == ThisEdge()


@pytest.mark.parametrize("url", ["https://solo.test/", "https://shop.local.workers.dev/x"])
def test_a_host_outside_every_zone_that_a_worker_owns_is_this_edge(url: str) -> None:
    assert _destination("https://example.com/", EXAMPLE, url) == ThisEdge()


@pytest.mark.parametrize("url", ["https://issuer.example.net/jwks", "http://localhost:3000/", "http://127.0.0.1/"])
def test_routes_without_a_zone_and_the_default_worker_do_not_take_what_goes_out(url: str) -> None:
    assert _destination("https://example.com/", EXAMPLE, url) == Internet()


def test_without_a_zone_the_own_host_means_the_origin() -> None:
    assert _destination("http://localhost:8787/a", None, "http://localhost:8787/b") == ToOrigin(None, None)
    assert _destination("http://localhost:8787/a", None, "http://localhost:9000/b") == Internet()


class _Answering:
    """Remembers what it was sent."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def fetch(self, request: Request, /) -> Response:
        self.requests.append(request)
        return Response(204)


def _subrequests(incoming: Request, internet: _Answering, *, most: int = 3) -> Subrequests:
    async def same_zone(request: Request, resolution: RunWorker | ToOrigin) -> Response:
        raise AssertionError(resolution)

    router = SubrequestRouter(RESOLVER, same_zone, internet.fetch, internet, SystemClock(), most)
    return Subrequests(incoming, EXAMPLE, router)


async def test_one_invocation_makes_no_more_than_it_may() -> None:
    internet = _Answering()
    subrequests = _subrequests(Request("GET", URL.parse("https://example.com/")), internet)
    request = Request("GET", URL.parse("https://elsewhere.example.net/"))

    for _ in range(3):
        await subrequests.fetch(request)
    with pytest.raises(OriginError, match="Too many subrequests"):
        await subrequests.fetch(request)

    assert len(internet.requests) == 3


async def test_a_script_cannot_forge_where_a_request_has_been() -> None:
    internet = _Answering()
    incoming = Request("GET", URL.parse("https://example.com/"), Headers({"CDN-Loop": "cloudflare; loops=2"}))
    forged = Headers({"CF-Worker": "bank.example", "CDN-Loop": "none", "X-Other": "1"})

    await _subrequests(incoming, internet).fetch(Request("GET", URL.parse("https://elsewhere.example.net/"), forged))

    assert internet.requests[0].headers.entries() == [
        ("cdn-loop", "cloudflare; loops=2"),
        ("cf-worker", "example.com"),
        ("x-other", "1"),
    ]


async def test_a_subrequest_is_one_hop_further_and_leaves_a_step() -> None:
    internet = _Answering()
    trace = Trace(0.0)
    incoming = Request("GET", URL.parse("https://example.com/"), hops=4, trace=trace)

    await _subrequests(incoming, internet).fetch(Request("GET", URL.parse("https://elsewhere.example.net/a?token=1")))

    assert internet.requests[0].hops == 5
    assert [(step.kind, step.text) for step in trace.steps] == [
        ("subrequest", "GET https://elsewhere.example.net/a -> the internet: 204")
    ]
