"""WSGI applications as workers. Sources: PEP 3333, workers/wsgi.py of workers-runtime-sdk 1.9.5."""

import logging
from collections.abc import AsyncIterator

import pytest

from edgeworker.bindings import ServiceBinding, TextBinding
from edgeworker.messages import Body, Request, Response
from edgeworker.runtime import ScriptFailure
from tests.runtime.stage import Stage

SERVED = """
from workers import WorkerEntrypoint, fetch, wsgi
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await wsgi.fetch(app, request, self.env)
"""


async def test_the_environ_is_the_sdks(stage: Stage) -> None:
    stage.add(
        SERVED
        + """
def app(environ, start_response):
    start_response("201 Made Up", [("Set-Cookie", "a"), ("Set-Cookie", "b")])
    names = ["REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme", "HTTP_X_A",
             "CONTENT_TYPE"]
    return [repr([environ[name] for name in names]).encode(), environ["workers.env"].V.encode()]
""",
        TextBinding("V", "v"),
    )

    answer = await stage.get(
        "https://example.com/%C3%A9?q=1", method="POST", headers={"X-A": "1", "Content-Type": "t/u"}, body=b""
    )

    assert answer.text == repr(["POST", "/Ã©", "q=1", "example.com", "443", "https", "1", "t/u"]) + "v"
    assert answer.status == 201
    assert answer.headers.get_set_cookie() == ["a", "b"]


async def test_the_body_is_read_as_the_application_asks_for_it(stage: Stage) -> None:
    stage.add(
        SERVED
        + """
def app(environ, start_response):
    read = environ["wsgi.input"].read
    start_response("200 OK", [])
    yield read(3)
    yield b"|"
    yield read()
"""
    )

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"ab"

    assert (await stage.get(method="POST", body=Body(pieces()))).text == "aba|bab"


async def test_fetch_works_from_the_applications_thread(stage: Stage) -> None:
    stage.add(
        "from pyodide.ffi import run_sync\n"
        + SERVED
        + """
async def origin():
    return await (await fetch("https://o.example/")).text()
def app(environ, start_response):
    start_response("200 OK", [])
    for _ in range(2):
        yield run_sync(origin()).encode()
"""
    )

    assert (await stage.get()).text == "from the originfrom the origin"


FAILURES = [
    ("raise ValueError('broken')", "ValueError: broken"),
    ("return []", "The WSGI application did not call start_response()"),
    ("start_response('200 OK', []); start_response('200 OK', [])", "start_response() called more than once"),
]


@pytest.mark.parametrize(("body", "says"), FAILURES)
async def test_an_application_that_fails_is_a_failure_of_the_script(
    stage: Stage, caplog: pytest.LogCaptureFixture, body: str, says: str
) -> None:
    stage.add(SERVED + f"def app(environ, start_response):\n    {body}\n")

    with caplog.at_level(logging.ERROR), pytest.raises(ScriptFailure):
        await stage.get()

    assert says in caplog.text


async def test_close_is_called_once_the_body_is_read_or_not_wanted(stage: Stage) -> None:
    stage.add(
        SERVED
        + """
closed = []
class Result:
    def __iter__(self):
        yield b"x"
    def close(self):
        closed.append(1)
def app(environ, start_response):
    start_response("204 No Content" if environ["PATH_INFO"] == "/none" else "200 OK", [("X-Closed", str(len(closed)))])
    return Result()
"""
    )

    seen = [(await stage.get(f"https://a.b{path}")).headers.get("x-closed") for path in ("/", "/none", "/")]
    assert seen == ["0", "1", "2"]


async def test_flask_runs(stage: Stage) -> None:
    stage.add(
        """
        from flask import Flask, request, Response
        from workers import wsgi
        app = Flask(__name__)
        @app.get("/hi/<name>")
        def hi(name):
            return {"hi": name, "env": request.environ["workers.env"].V}
        @app.post("/echo")
        def echo():
            return request.get_json()["a"]
        @app.get("/stream")
        def stream():
            return Response((str(number) for number in range(3)), mimetype="text/x")
        Default = wsgi.entrypoint(app)
        """,
        TextBinding("V", "v"),
    )

    assert (await stage.get("https://a.b/hi/you")).text == '{"env":"v","hi":"you"}\n'
    posted = await stage.get(
        "https://a.b/echo",
        method="POST",
        body=b'{"a": "b"}',
        headers={"content-type": "application/json", "content-length": "10"},
    )
    assert posted.text == "b"
    assert (await stage.get("https://a.b/stream")).text == "012"


async def test_django_finds_the_workers_own_settings_and_urls(stage: Stage) -> None:
    # Django looks its modules up by name with importlib.import_module, from a thread without a frame of the script.
    stage.add(
        {
            "worker.py": """
            import os
            os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
            from django.core.wsgi import get_wsgi_application
            from workers import wsgi
            Default = wsgi.entrypoint(get_wsgi_application())
            """,
            "site_settings.py": 'ROOT_URLCONF = "site_urls"\nALLOWED_HOSTS = ["*"]\nSECRET_KEY = "x"\nUSE_TZ = True\n',
            "site_urls.py": """
            from django.http import HttpResponse
            from django.urls import path
            def hi(request, name):
                return HttpResponse(f"Hi {name} {request.META['workers.env'].V}")
            urlpatterns = [path("hi/<str:name>", hi)]
            """,
        },
        TextBinding("V", "v"),
    )

    answer = await stage.get("https://a.b/hi/you", headers={"Host": "a.b"})

    assert answer.text == "Hi you v"


async def test_a_second_spelling_of_a_header_does_not_take_the_place_of_the_first(stage: Stage) -> None:
    stage.add(
        SERVED
        + """
def app(environ, start_response):
    start_response("200 OK", [])
    return [repr([environ["HTTP_X_USER"], environ["CONTENT_TYPE"], environ["HTTP_X_OTHER"]]).encode()]
"""
    )

    answer = await stage.get(
        method="POST",
        headers={"X_User": "forged", "X-User": "ann", "X_Other": "1", "Content_Type": "forged", "Content-Type": "t/u"},
        body=b"",
    )

    assert answer.text == repr(["ann", "t/u", "1"])


async def chunks() -> AsyncIterator[bytes]:
    yield b"a=1&"
    yield b"b=2"


@pytest.mark.parametrize("call", ["env.OTHER.fetch(request)", "fetch('https://o/', method='POST', body='a=1&b=2')"])
@pytest.mark.parametrize("known", [True, False])
async def test_a_body_from_another_worker_or_of_unknown_length_is_read(stage: Stage, call: str, known: bool) -> None:
    stage.add(
        SERVED
        + """
def app(environ, start_response):
    start_response("200 OK", [])
    length = environ["CONTENT_LENGTH"]
    return [f"{length} ".encode(), environ["wsgi.input"].read(int(length))]
""",
        name="other",
    )
    stage.add(
        "from workers import WorkerEntrypoint, env, fetch\n"
        "class Default(WorkerEntrypoint):\n"
        f"    async def fetch(self, request):\n        env = self.env\n        return await {call}\n",
        ServiceBinding("OTHER", "other"),
    )

    async def answer(request: Request) -> Response:
        return await stage.workers["other"].run(request.replace(hops=1), stage.origin)

    stage.origin.fetch = answer  # type: ignore[method-assign]  # a route of this edge
    sent = Body(b"a=1&b=2") if known else Body(chunks())

    assert (await stage.get(method="POST", body=sent)).text == "7 a=1&b=2"
