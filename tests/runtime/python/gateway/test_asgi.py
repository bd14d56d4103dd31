"""ASGI applications as workers. Source: workers/asgi.py of workers-runtime-sdk 1.9.5 and its specification."""

import logging
from collections.abc import AsyncIterator

import pytest

from edgeworker.bindings import TextBinding
from edgeworker.messages import URL, Body, Request
from edgeworker.runtime import ScriptFailure
from tests.runtime.stage import Stage

SERVED = """
import asyncio, json
import asgi
from workers import Response, WorkerEntrypoint, fetch
events = []
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await asgi.fetch(app, request, self.env)
"""


async def test_the_scope_is_the_sdks(stage: Stage) -> None:
    stage.add(
        SERVED
        + """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    del scope["env"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": repr(sorted(scope.items())).encode()})
"""
    )

    answer = await stage.get("https://example.com/a%20b/%C3%A9?q=%20", headers={"X-A": "1", "Accept": "b"})

    assert answer.text == repr(
        [
            ("asgi", {"spec_version": "2.0", "version": "3.0"}),
            ("headers", [(b"accept", b"b"), (b"x-a", b"1")]),
            ("http_version", "1.1"),
            ("method", "GET"),
            ("path", "/a b/é"),
            ("query_string", b"q=%20"),
            ("raw_path", b"/a%20b/%C3%A9"),
            ("scheme", "https"),
            ("state", {}),
            ("type", "http"),
        ]
    )


async def test_the_body_comes_in_and_goes_out_in_pieces(stage: Stage) -> None:
    stage.add(
        SERVED
        + """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise TypeError("no lifespan here")
    cookies = [(b"set-cookie", b"a"), (b"set-cookie", b"b")]
    await send({"type": "http.response.start", "status": 201, "headers": cookies})
    while True:
        message = await receive()
        await send({"type": "http.response.body", "body": message["body"] + b".", "more_body": message["more_body"]})
        if not message["more_body"]:
            break
    assert (await receive())["type"] == "http.disconnect"
"""
    )
    pulled: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(4):
            pulled.append(number)
            yield b"%d" % number

    request = Request("POST", URL.parse("https://a.b/"), None, Body(pieces()))
    response = await stage.workers["w"].run(request, stage.origin)

    assert response.headers.get_set_cookie() == ["a", "b"]
    assert len(pulled) < 4  # a reader that has not begun holds the writer up
    assert response.body is not None
    assert [piece async for piece in response.body.stream()] == [b"0.", b"1.", b"2.", b"3.", b"."]
    await stage.background.drain()


async def test_a_client_that_goes_away_lets_the_application_end(stage: Stage) -> None:
    stage.add(
        SERVED
        + """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200})
        for _ in range(100):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await fetch("https://o.example/ended")
"""
    )
    response = await stage.workers["w"].run(Request("GET", URL.parse("https://a.b/")), stage.origin)
    assert response.body is not None
    stream = response.body.stream()
    assert await anext(stream) == b"x"
    await response.body.close()
    await stage.background.drain()

    assert [request.url.path for request in stage.origin.requests] == ["/ended"]


LIFESPAN = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        assert (await receive())["type"] == "lifespan.startup"
        scope["state"]["made"] = "at start"
        events.append("start")
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        events.append("stop")
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": f"{scope['state']['made']} {events}".encode()})
"""


async def test_the_lifespan_is_run_around_each_request(stage: Stage) -> None:
    stage.add(SERVED + LIFESPAN)

    assert (await stage.get()).text == "at start ['start']"
    assert (await stage.get()).text == "at start ['start', 'stop', 'start']"


FAILURES = [
    (
        'await receive(); await send({"type": "lifespan.startup.failed", "message": "no database"})\n    return',
        "RuntimeError: no database",
    ),
    ('if scope["type"] == "http":\n        raise ValueError("broken")', "ValueError: broken"),
    ("return", "RuntimeError: The application did not generate a response"),
    (
        'if scope["type"] == "http":\n        await send({"type": "http.response.body"})',
        "RuntimeError: ASGI: http.response.body before http.response.start",
    ),
    ('if scope["type"] == "http":\n        await send({"type": "odd"})', "RuntimeError: Unexpected ASGI message 'odd'"),
]


@pytest.mark.parametrize(("body", "says"), FAILURES)
async def test_an_application_that_fails_is_a_failure_of_the_script(
    stage: Stage, caplog: pytest.LogCaptureFixture, body: str, says: str
) -> None:
    stage.add(SERVED + f"async def app(scope, receive, send):\n    {body}\n")

    with caplog.at_level(logging.ERROR), pytest.raises(ScriptFailure):
        await stage.get()

    assert says in caplog.text


async def test_a_failure_within_a_streamed_answer_breaks_it_off(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.add(
        SERVED
        + """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        raise ValueError("too late")
"""
    )

    with pytest.raises(ValueError, match="too late"):
        await stage.get()
    await stage.background.drain()
    assert "failed after its response had started" in caplog.text


async def test_fastapi_runs_with_its_dependency_on_env(stage: Stage) -> None:
    # The example 03-fastapi of Cloudflare hands on `request.js_object`.
    stage.add(
        """
        import asgi
        from fastapi import FastAPI, Request
        from fastapi.responses import StreamingResponse
        from pydantic import BaseModel
        from workers import WorkerEntrypoint
        app = FastAPI()
        class Item(BaseModel):
            name: str
            price: float = 1.5
        @app.get("/")
        async def root():
            return {"message": "Hello"}
        @app.get("/hi/{name}")
        async def hi(name: str):
            return {"message": f"Hi {name}"}
        @app.get("/env")
        async def env(request: Request):
            return {"env": request.scope["env"].V, "client": request.client}
        @app.get("/depends")
        async def depends(env=asgi.env):
            return env.V
        @app.post("/items")
        async def items(item: Item):
            return item
        @app.get("/stream")
        async def stream():
            async def pieces():
                for number in range(3):
                    yield str(number)
            return StreamingResponse(pieces())
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return await asgi.fetch(app, request.js_object, self.env)
        """,
        TextBinding("V", "v"),
    )
    for path, text in [
        ("/", '{"message":"Hello"}'),
        ("/hi/you", '{"message":"Hi you"}'),
        ("/env", '{"env":"v","client":null}'),
        ("/depends", '"v"'),
        ("/stream", "012"),
        ("/none", '{"detail":"Not Found"}'),
    ]:
        assert (await stage.get(f"https://a.b{path}")).text == text

    created = await stage.get(
        "https://a.b/items", method="POST", body=b'{"name": "n"}', headers={"content-type": "application/json"}
    )
    assert created.text == '{"name":"n","price":1.5}'
    await stage.background.drain()


async def test_an_application_is_a_worker_in_one_line(stage: Stage) -> None:
    stage.add(
        """
        from workers import asgi
        async def app(scope, receive, send):
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 204})
                await send({"type": "http.response.body", "body": b"dropped"})
        Default = asgi.entrypoint(app, options=asgi.Options(encode_body="manual"))
        """
    )

    answer = await stage.get()
    assert (answer.status, answer.content) == (204, b"")
    with pytest.raises(ScriptFailure) as raised:
        await stage.get(headers={"Upgrade": "websocket"})
    assert "neither accepted nor closed the WebSocket" in str(raised.value.original)
