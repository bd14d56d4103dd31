"""Origins and the internet of a test."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.config import Route, Zone
from edgeworker.errors import OriginError
from edgeworker.handler import Background, Context, Handler
from edgeworker.messages import URL, Body, Headers, Request, Response
from edgeworker.runtime.contract import current_invocation
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.local import LocalEdge
from edgeworker.testing.origin import Origin
from edgeworker.testing.origin_rules import OriginRequest
from edgeworker.trace import Trace
from tests.testing.scripts import edge_of, worker_config

BASE = "http://origin.test"
FORWARDS = """
async def fetch(self, request):
    return await fetch(request)
"""


@pytest.fixture
def origin() -> Origin:
    return Origin(MovableClock(0))


def _request(url: str = "https://api.example.com/orders", method: str = "GET", body: bytes | None = None) -> Request:
    return Request(method, URL.parse(url), Headers(), None if body is None else Body(body))


async def _text(response: Response) -> str:
    return "" if response.body is None else (await response.body.read()).decode()


async def _ask(handler: Handler, url: str = "https://api.example.com/orders", method: str = "GET") -> tuple[int, str]:
    response = await handler.fetch(_request(url, method))
    return response.status, await _text(response)


async def test_an_origin_answers_200_and_remembers_what_was_asked(origin: Origin) -> None:
    request = _request("https://api.example.com/orders?x=1", "POST", b'{"a": 1}')
    request.headers.append("X-A", "1")

    response = await origin.at(BASE).fetch(request)

    assert (response.status, await _text(response)) == (200, "origin\n")
    (asked,) = origin.requests
    assert (asked.method, asked.url) == ("POST", "https://api.example.com/orders?x=1")
    assert (asked.host, asked.path, asked.query) == ("api.example.com", "/orders", "?x=1")
    assert (asked.headers.get("x-a"), asked.text, asked.json()) == ("1", '{"a": 1}', {"a": 1})
    assert (asked.base, asked.worker) == (BASE, None)


async def test_the_internet_refuses_what_no_rule_allows_and_names_url_and_worker(origin: Origin) -> None:
    trace = Trace(0.0)
    request = _request("https://issuer.example/jwks?secret").replace(trace=trace)
    context = Context(request, name="gateway", background=Background(), subrequest=origin.internet)

    text = 'worker "gateway" fetched https://issuer.example/jwks, which no rule of this test allows'
    with current_invocation.enter_invocation(context), pytest.raises(OriginError, match=text) as raised:
        await origin.internet.fetch(request)

    assert "secret" not in str(raised.value)
    assert [asked.worker for asked in origin.refused] == ["gateway"]
    assert origin.requests == []
    assert [step.kind for step in trace.steps] == ["error"]


@pytest.mark.parametrize(
    ("pattern", "url", "to_origin", "to_internet"),
    [
        ("/orders", "https://api.example.com/orders?x=1", True, False),
        ("/orders", "https://api.example.com/orders/1", False, False),
        ("/orders*", "https://api.example.com/orders/1", True, False),
        ("/*", "https://api.example.com/", True, False),
        ("/orders?x=1", "https://api.example.com/orders?x=1", True, False),
        ("/orders?x=1", "https://api.example.com/orders?x=2", False, False),
        ("api.example.com", "https://api.example.com/orders", True, True),
        ("API.example.com/orders", "https://api.example.com/orders", True, True),
        ("*.example.com/*", "https://api.example.com/orders", True, True),
        ("*.example.com/*", "https://example.com/orders", False, False),
        ("api.example.com:8443/*", "https://api.example.com:8443/", True, True),
        ("http://api.example.com/*", "https://api.example.com/", False, False),
        ("https://api.example.com/a.b", "https://api.example.com/aXb", False, False),
    ],
)
async def test_a_pattern_takes_what_it_says(
    origin: Origin, pattern: str, url: str, to_origin: bool, to_internet: bool
) -> None:
    origin.on(pattern, body="ruled")

    assert ((await _ask(origin.at(BASE), url))[1] == "ruled") is to_origin
    if to_internet:
        assert (await _ask(origin.internet, url))[1] == "ruled"
    else:
        with pytest.raises(OriginError):
            await origin.internet.fetch(_request(url))


@pytest.mark.parametrize("pattern", ["", "https://", "GET /x", "ftp://host/"])
def test_what_is_not_a_pattern_is_refused(origin: Origin, pattern: str) -> None:
    with pytest.raises(ValueError, match='write "/path", "host/path" or "https://host/path"'):
        origin.on(pattern)


async def test_the_latest_rule_wins_until_it_is_used_up(origin: Origin) -> None:
    first = origin.on("/*", body="first")
    second = origin.on("/*", status=503, body="second", times=1)
    origin.on("/*", method="POST", body="posted")

    answers = [await _ask(origin.at(BASE)), await _ask(origin.at(BASE)), await _ask(origin.at(BASE), method="POST")]

    assert answers == [(503, "second"), (200, "first"), (200, "posted")]
    assert (len(first.requests), len(second.requests)) == (1, 1)


async def test_a_function_answers_with_text_bytes_or_a_response(origin: Origin) -> None:
    async def later(request: OriginRequest) -> Response:
        await asyncio.sleep(0)
        return Response(201, body=request.method.encode())

    origin.on("/text", lambda request: request.path)
    origin.on("/bytes", lambda request: b"raw")
    origin.on("/later", later)

    answers = [await _ask(origin.at(BASE), f"https://a.test/{path}") for path in ("text", "bytes", "later")]
    assert answers == [(200, "/text"), (200, "raw"), (201, "GET")]


async def test_a_static_answer_has_the_usual_headers(origin: Origin) -> None:
    origin.on("/json", json={"a": 1}, status=201)
    origin.on("/stream", body=[b"a", b"b"])

    response = await origin.at(BASE).fetch(_request("https://a.test/json"))
    streamed = await origin.at(BASE).fetch(_request("https://a.test/stream"))
    head = await origin.at(BASE).fetch(_request("https://a.test/json", "HEAD"))

    assert (response.status, response.url) == (201, "https://a.test/json")
    assert response.headers.entries() == [("content-length", "8"), ("content-type", "application/json")]
    assert (streamed.headers.get("content-length"), await _text(streamed)) == (None, "ab")
    assert (head.headers.get("content-length"), head.body) == ("8", None)


async def test_an_answer_can_be_delayed_by_the_clock() -> None:
    clock = MovableClock(0)
    origin = Origin(clock)
    origin.on("/*", body="late", delay_seconds=5)

    asked = asyncio.ensure_future(_ask(origin.at(BASE)))
    for _ in range(5):
        await asyncio.sleep(0)
    clock.advance(5)
    assert clock.wake_next()

    assert await asked == (200, "late")


@pytest.mark.parametrize("status", [520, 521, 522, 523, 524, 525, 526])
async def test_a_server_can_fail_in_every_way_that_cloudflare_numbers(origin: Origin, status: int) -> None:
    origin.fail("/*", status)

    with pytest.raises(OriginError) as raised:
        await origin.at(BASE).fetch(_request())

    assert raised.value.status == status


def test_another_number_is_not_a_failure(origin: Origin) -> None:
    with pytest.raises(ValueError, match="404 is not a way in which an origin can fail"):
        origin.fail("/*", 404)


async def test_a_reset_may_come_once(origin: Origin) -> None:
    origin.reset("/*", times=1)

    with pytest.raises(OriginError, match="closed the connection without an answer"):
        await _ask(origin.at(BASE))
    assert (await _ask(origin.at(BASE)))[0] == 200


@pytest.mark.parametrize(
    ("announced", "reset_after", "seen", "breaks"),
    [(10, None, b"hello", True), (3, None, b"hel", False), (None, 2, b"he", True), (None, 0, b"", True)],
)
async def test_a_length_can_lie_and_a_body_can_break(
    origin: Origin, announced: int | None, reset_after: int | None, seen: bytes, breaks: bool
) -> None:
    origin.on("/*", body="hello", announced_length=announced, reset_after=reset_after)

    response = await origin.at(BASE).fetch(_request())
    assert response.headers.get("content-length") == str(announced or 5)
    assert response.body is not None
    read = b""
    broke = False
    try:
        async for piece in response.body.stream():
            read += piece
    except OriginError:
        broke = True

    assert (read, broke) == (seen, breaks)


def test_arguments_that_exclude_each_other_are_refused(origin: Origin) -> None:
    with pytest.raises(TypeError, match="a function that answers, or an answer"):
        origin.on("/*", lambda request: "a", body="b")
    with pytest.raises(TypeError, match="are about a body"):
        origin.on("/*", announced_length=1)


async def test_a_function_that_answers_something_else_is_named(origin: Origin) -> None:
    origin.on("/x", lambda request: None)  # type: ignore[arg-type, return-value]  # the mistake under test

    with pytest.raises(TypeError, match=r'the function of origin.on\("/x"\) gave NoneType'):
        await origin.at(BASE).fetch(_request("https://a.test/x"))


async def test_everything_can_be_forgotten(origin: Origin) -> None:
    origin.on("/*", status=404)
    await _ask(origin.at(BASE))

    origin.clear()

    assert origin.requests == []
    assert (await _ask(origin.at(BASE)))[0] == 200


def test_a_host_of_no_zone_is_refused_as_on_dev(tmp_path: Path) -> None:
    with edge_of(tmp_path, FORWARDS) as edge:
        misspelt = edge.get("https://api.exmaple.com/")
        right = edge.get("https://api.example.com/")
        edge.origin.on("https://api.exmaple.com/", body="a rule")
        wanted = edge.get("https://api.exmaple.com/")

    assert (misspelt.status, right.status, wanted.text) == (530, 200, "a rule")


def test_a_host_of_a_zone_that_nothing_names_is_refused_as_on_dev(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """On Cloudflare it has no DNS record."""
    config = worker_config(tmp_path, FORWARDS)
    routes = (Route("api.example.com/v1/*", "shop"), Route("*.cdn.example.com/x", "shop"))
    config = replace(config, zones=(Zone("example.com"),), routes=routes)
    with LocalEdge(config) as edge:
        statuses = {
            host: edge.get(f"https://{host}/").status
            for host in ("api.example.com", "a.cdn.example.com", "ap1.example.com", "example.com")
        }
        refused = caplog.text
        edge.origin.on("https://ap1.example.com/*", body="a rule")
        wanted = edge.get("https://ap1.example.com/")
    with LocalEdge(replace(config, zones=(Zone("example.com", origin="http://10.0.0.1"),))) as edge:
        behind_an_origin = edge.get("https://ap1.example.com/")

    assert statuses == {
        "api.example.com": 200,
        "a.cdn.example.com": 200,
        "ap1.example.com": 530,
        "example.com": 530,
    }
    assert "ap1.example.com does not exist here: no route, custom domain or origin of this edge names it" in refused
    assert 'origin.on("https://ap1.example.com/*", ...)' in refused
    assert (wanted.text, behind_an_origin.status) == ("a rule", 200)


def test_the_answer_of_a_test_may_signal_its_own_process_while_a_script_waits(tmp_path: Path) -> None:
    received: list[str] = []

    def send_signal(_request: OriginRequest) -> str:
        os.kill(os.getpid(), signal.SIGUSR1)
        return "sent"

    config = replace(worker_config(tmp_path, FORWARDS), routes=(Route("api.example.com/*", "shop"),))
    with LocalEdge(config) as edge:
        before = signal.signal(signal.SIGUSR1, lambda *_: received.append("SIGUSR1"))
        edge.origin.on("*", send_signal)
        text = edge.get("https://api.example.com/").text
        signal.signal(signal.SIGUSR1, before)

    assert (text, received) == ("sent", ["SIGUSR1"])
    assert signal.getsignal(signal.SIGUSR1) is before
