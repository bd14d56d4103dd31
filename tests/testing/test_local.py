"""An edge in a test's own process."""

import asyncio
import contextlib
import gc
import http.client
import sys
import urllib.request
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edgeworker.bindings import JSONBinding, KVBinding
from edgeworker.config import Binding, Config, Worker
from edgeworker.errors import ConfigError, ScriptError
from edgeworker.messages import InvalidURL
from edgeworker.runtime import ScriptFailure
from edgeworker.testing.local import LocalEdge
from tests.patience import PATIENCE_SECONDS
from tests.testing.scripts import edge_of, worker_config

HELLO = """
async def fetch(self, request):
    return Response(f"{request.method} {request.url} {await request.text()}")
"""
STORED = """
async def fetch(self, request):
    value = await self.env.TOKENS.get("k")
    return Response("nothing" if value is None else value)
"""
FORWARDS = """
async def fetch(self, request):
    return await fetch(request)
"""
BY_THREAD = """
async def fetch(self, request):
    key = request.url.partition("key=")[2]
    return Response(await self.env.TOKENS.get(key) or "nothing" if key else "first")
"""
LATER = """
async def fetch(self, request):
    self.ctx.waitUntil(fetch("https://log.example/entry", method="POST", body="x"))
    return Response("done")
"""


async def test_an_async_test_asks_on_its_own_loop(tmp_path: Path) -> None:
    async with LocalEdge(worker_config(tmp_path, HELLO)) as edge:
        reply = await edge.fetch("https://api.example.com/a?b=1", method="POST", body="hi")

    assert (reply.status, reply.text) == (200, "POST https://api.example.com/a?b=1 hi")


def test_a_test_without_async_asks_in_the_same_words(tmp_path: Path) -> None:
    with edge_of(tmp_path, HELLO) as edge:
        assert edge.get("/x").text == "GET http://localhost/x "
        assert edge.post("/x", json={"a": 1}).text == 'POST http://localhost/x {"a": 1}'
        assert [edge.put("/").text[:4], edge.patch("/").text[:6], edge.delete("/").text[:7]] == [
            "PUT ",
            "PATCH ",
            "DELETE ",
        ]
        assert edge.options("/").text.startswith("OPTIONS ")
        assert edge.head("/").status == 200


def test_a_url_that_is_none_is_refused(tmp_path: Path) -> None:
    with edge_of(tmp_path, HELLO) as edge, pytest.raises(InvalidURL):
        edge.get("api.example.com/x")


def test_a_client_says_nothing_about_itself(tmp_path: Path) -> None:
    with edge_of(tmp_path, FORWARDS) as edge:
        edge.get("https://api.example.com/", headers={"CF-Connecting-IP": "1.2.3.4", "X-A": "b"}, ip="203.0.113.9")

        (asked,) = edge.origin.requests
        assert (asked.headers.get("cf-connecting-ip"), asked.headers.get("x-a")) == ("203.0.113.9", "b")
        assert asked.worker == "shop"


def test_a_body_streams_in_and_the_answer_streams_out(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def streamed(edge: LocalEdge) -> list[bytes]:
        async with edge.stream("https://api.example.com/s") as response:
            assert response.body is not None
            return [piece async for piece in response.body.stream()]

    with edge_of(tmp_path, FORWARDS) as edge:
        edge.origin.on("/s", body=[b"x", b"y"])
        edge.post("https://api.example.com/", body=pieces())

        assert edge.origin.requests[0].body == b"ab"
        assert edge.run(streamed(edge)) == [b"x", b"y"]


def test_a_fetch_that_no_rule_allows_fails_and_names_url_and_worker(tmp_path: Path) -> None:
    with edge_of(tmp_path, LATER) as edge:
        assert edge.get("/").status == 200
        edge.run(edge.settle())

        assert [asked.url for asked in edge.origin.refused] == ["https://log.example/entry"]
        assert any(
            'worker "shop" fetched https://log.example/entry, which no rule of this test allows' in line.text
            for line in edge.logs
        )


def test_settling_waits_for_what_was_given_to_wait_until(tmp_path: Path) -> None:
    with edge_of(tmp_path, LATER) as edge:
        edge.origin.on("https://log.example/*", status=204)
        edge.get("/")

        edge.run(edge.settle())

        assert [asked.text for asked in edge.origin.requests] == ["x"]


async def test_time_passes_for_kv_when_the_clock_is_moved(tmp_path: Path) -> None:
    async with LocalEdge(worker_config(tmp_path, STORED)) as edge:
        edge.kv("TOKENS").put("k", "v", expiration_ttl=60)

        assert (await edge.fetch("/")).text == "v"
        edge.clock.advance(60)
        assert (await edge.fetch("/")).text == "nothing"


async def test_a_delayed_origin_answers_when_its_time_came(tmp_path: Path) -> None:
    async with LocalEdge(worker_config(tmp_path, FORWARDS)) as edge:
        edge.origin.on("/slow", body="late", delay_seconds=5)
        edge.origin.on("/slower", body="later", delay_seconds=7)
        done: list[str] = []

        async def ask(path: str) -> None:
            done.append((await edge.fetch(f"https://api.example.com{path}")).text)

        tasks = [asyncio.ensure_future(ask(path)) for path in ("/slower", "/slow")]
        await edge.settle()
        assert done == []

        edge.clock.advance(7)
        await edge.settle()
        assert done == ["late", "later"]
        await asyncio.gather(*tasks)


def test_a_request_that_waits_for_the_clock_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeworker.testing.engine._PATIENCE_SECONDS", 0.01)
    with edge_of(tmp_path, FORWARDS) as edge:
        edge.origin.on("/slow", delay_seconds=5)

        with pytest.raises(RuntimeError, match=r"clock\.advance\(5\) and await edge\.settle\(\)"):
            edge.get("https://api.example.com/slow")


def test_a_port_serves_other_programs(tmp_path: Path) -> None:
    with edge_of(tmp_path, STORED) as edge:
        edge.get("/")
        url = edge.url
        edge.kv().put("k", "over the port")

        with urllib.request.urlopen(f"{url}/x") as answer:
            assert answer.read() == b"over the port"
        assert edge.url == url
        assert edge.get("/").text == "over the port"
        assert [exchange.outcome for exchange in edge.exchanges] == ["200", "200", "200"]


async def test_a_port_that_no_one_waited_for_is_closed_too(tmp_path: Path) -> None:
    async with LocalEdge(worker_config(tmp_path, HELLO)) as edge:
        url = edge.url

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", urlsplit(url).port)


async def test_a_port_opens_in_an_async_test_too(tmp_path: Path) -> None:
    def ask(url: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", "/x", headers={"Host": "api.example.com"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    async with LocalEdge(worker_config(tmp_path, HELLO)) as edge:
        assert await asyncio.to_thread(ask, edge.url) == (200, b"GET http://api.example.com/x ")


async def test_a_cron_fires_at_the_clocks_time(tmp_path: Path) -> None:
    body = """
async def scheduled(self, event, env, ctx):
    await self.env.TOKENS.put("fired", f"{event.cron} {event.scheduledTime}")
"""
    config = worker_config(tmp_path, body, crons=["*/5 * * * *"])
    async with LocalEdge(config) as edge:
        await edge.cron("*/5 * * * *")

        assert edge.kv("TOKENS").get("fired") == f"*/5 * * * * {edge.clock.now_ms()}"


def test_a_cron_that_no_worker_has_is_an_error(tmp_path: Path) -> None:
    one = worker_config(tmp_path, HELLO)
    two = Config(workers=(*one.workers, Worker("other", one.workers[0].main, crons=("0 * * * *",))))
    with LocalEdge(two) as edge, pytest.raises(LookupError, match="is not the trigger of one worker"):
        edge.run(edge.cron("1 * * * *"))
    with edge_of(tmp_path, HELLO) as edge, pytest.raises(LookupError, match="is not the trigger of one worker"):
        edge.run(edge.cron())


def test_a_cron_without_an_expression_is_the_only_one_there_is(tmp_path: Path) -> None:
    config = worker_config(tmp_path, HELLO, crons=["0 * * * *"])
    with LocalEdge(config) as edge, pytest.raises(ScriptFailure):
        edge.run(edge.cron())


def test_values_that_cannot_be_meant_say_what_would_be_right(tmp_path: Path) -> None:
    nothing: dict[str, str] = {"x": None}  # type: ignore[dict-item]  # the mistake that is tested
    with edge_of(tmp_path, HELLO) as edge:
        with pytest.raises(TypeError, match=r"the value of 'k' is a dict; KV has text and bytes: json.dumps"):
            edge.kv("TOKENS").put("k", {"a": 1})  # type: ignore[arg-type]  # the mistake that is tested
        with pytest.raises(TypeError, match="the header 'x' is None; give text, or leave the header out"):
            edge.get("/", headers=nothing)
        with pytest.raises(TypeError, match="for a dict write json="):
            edge.post("/", body={b"a": 1})
        with pytest.raises(InvalidURL, match=r'"api\.example\.com/x" is not a URL; write "https://api\.'):
            edge.get("api.example.com/x")


def test_a_split_token_is_published_and_found(tmp_path: Path) -> None:
    body = """
async def fetch(self, request):
    return Response(await self.env.TOKENS.get(request.headers["x-key"]) or "")
"""
    with edge_of(tmp_path, body) as edge:
        token = edge.issuer.token(split=True, ttl_seconds=300)
        assert token.key is not None

        assert edge.get("/", headers={"x-key": token.key}).text == token.published_value
        edge.clock.advance(300)
        assert edge.get("/", headers={"x-key": token.key}).text == ""


def test_the_trace_names_what_happened(tmp_path: Path) -> None:
    with edge_of(tmp_path, FORWARDS) as edge:
        with pytest.raises(LookupError, match="no request was made yet"):
            _ = edge.trace
        edge.get("https://api.example.com/a?secret=1")

        kinds = [step.kind for step in edge.trace.steps]
        assert {"zone", "route", "worker", "subrequest"} <= set(kinds)
        report = edge.report()
        assert report[0] == "GET https://api.example.com/a -> 200"
        assert not any("secret" in line for line in report)


def test_logs_are_those_of_this_edge(tmp_path: Path) -> None:
    broken = """
async def fetch(self, request):
    raise ValueError("oh")
"""
    with edge_of(tmp_path, HELLO) as quiet, edge_of(tmp_path, broken, name="loud") as loud:
        assert loud.get("/").status == 500
        quiet.get("/")

        assert [line.level for line in loud.logs if "ValueError: oh" in line.text] == ["ERROR"]
        assert quiet.logs == []


def test_routes_are_explained_without_a_request(tmp_path: Path) -> None:
    with edge_of(tmp_path, HELLO) as edge:
        explanation = edge.routes.explain("https://api.example.com/x")

        assert [verdict.route.pattern for verdict in explanation.verdicts] == ["api.example.com/*"]
        assert edge.exchanges == []


def test_a_script_that_cannot_be_loaded_is_named_at_the_first_request(tmp_path: Path) -> None:
    with edge_of(tmp_path, "async def fetch(self:") as edge:
        for _ in range(2):
            with pytest.raises(ScriptError, match="line 5"):
                edge.get("/")
        assert edge.report()[0].startswith("GET http://localhost/ -> ScriptError: ")


def test_a_configuration_that_cannot_be_meant_is_refused_at_once() -> None:
    with pytest.raises(ConfigError):
        LocalEdge(Config(default_worker="nobody"))


def test_edges_do_not_see_each_other(tmp_path: Path) -> None:
    config = worker_config(tmp_path, STORED)
    with LocalEdge(config) as one, LocalEdge(config) as other:
        one.kv("TOKENS").put("k", "mine")
        one.clock.advance(100)

        assert (one.get("/").text, other.get("/").text) == ("mine", "nothing")
        assert other.clock.now() < one.clock.now()


def test_a_namespace_is_named_by_binding_title_or_id(tmp_path: Path) -> None:
    bindings: list[Binding] = [KVBinding("A", "id-a"), KVBinding("B", "id-b"), JSONBinding("C", 1)]
    with LocalEdge(worker_config(tmp_path, HELLO, bindings=bindings)) as edge:
        assert (edge.kv("A").id, edge.kv("B").id) == ("id-a", "id-b")
        with pytest.raises(LookupError, match="several KV namespaces"):
            edge.kv()
        with pytest.raises(LookupError, match=r'no KV namespace "C" is bound here; there are: A of worker shop'):
            edge.kv("C")


def test_a_closed_edge_leaves_nothing_behind(tmp_path: Path) -> None:
    before = {name for name in sys.modules if name.startswith("shop@")}
    with edge_of(tmp_path, LATER) as edge:
        edge.origin.on("https://log.example/*", delay_seconds=60)
        edge.get("/")
        url = edge.url

    edge.close()
    gc.collect()
    assert {name for name in sys.modules if name.startswith("shop@")} == before
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url)
    with pytest.raises(RuntimeError):
        edge.get("/")


def test_an_edge_whose_loop_has_ended_can_still_be_closed(tmp_path: Path) -> None:
    edge = LocalEdge(worker_config(tmp_path, HELLO))
    reply = asyncio.run(edge.fetch("/"))

    edge.close()

    assert reply.ok
    assert not [name for name in sys.modules if name.startswith("shop@")]


@pytest.mark.parametrize("used_before", [True, False])
def test_forty_calls_of_four_threads_are_answered(tmp_path: Path, used_before: bool) -> None:
    """Code under test is often threaded; KV and the clock are used from its threads too."""
    with edge_of(tmp_path, BY_THREAD) as edge:
        if used_before:
            edge.get("https://api.example.com/first")

        def ask(number: int) -> tuple[int, str]:
            edge.kv("TOKENS").put(f"k{number}", f"v{number}")
            reply = edge.get(f"https://api.example.com/?key=k{number}")
            return reply.status, reply.text

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(ask, range(40), timeout=PATIENCE_SECONDS))

    assert answers == [(200, f"v{number}") for number in range(40)]


async def test_threads_of_an_async_test_are_answered(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(4))
        async with LocalEdge(worker_config(tmp_path, BY_THREAD)) as edge:
            edge.kv("TOKENS").put("k", "v")
            loop = asyncio.get_running_loop()
            url = "https://api.example.com/?key=k"
            calls = [loop.run_in_executor(threads, edge.get, url) for _ in range(40)]
            answers = await asyncio.gather(*calls)

    assert {(reply.status, reply.text) for reply in answers} == {(200, "v")}
