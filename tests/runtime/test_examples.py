"""Cloudflare's public examples, rewritten: each runs as its folder stands and answers what it must.

What is expected stands in the examples' own tests: https://github.com/cloudflare/python-workers-examples
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeworker.bindings import KVBinding
from edgeworker.config import Config, Worker
from edgeworker.testing import Edge

EXAMPLES = Path(__file__).parent / "examples"


@pytest.fixture
def edge(request: pytest.FixtureRequest) -> Iterator[Edge]:
    """One example, by the name of its folder."""
    name: str = request.param
    folder = EXAMPLES / name
    files = sorted(folder.glob("*/wrangler.toml"))
    with Edge(files or folder) as edge:
        yield edge


def example(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("edge", [name], indirect=True)


@example("hello")
def test_hello(edge: Edge) -> None:
    reply = edge.get("/")

    assert (reply.status, reply.text) == (200, "Hello world!")
    assert reply.headers.get("content-type") == "text/plain;charset=UTF-8"


@example("binding")
def test_binding(edge: Edge) -> None:
    assert edge.get("/").text == "baz"
    assert edge.kv("FOO").get("bar") == "baz"


@example("fastapi")
def test_fastapi(edge: Edge) -> None:
    assert edge.get("/").json() == {"message": "a FastAPI application"}
    assert edge.get("/hi/Dominik").json() == {"message": "Hello, Dominik!"}
    assert edge.get("/env").json() == {"message": "My env var", "client": None}
    assert edge.get("/dependency").json() == {"message": "My env var"}
    assert edge.post("/items", json={"a": [1]}).json() == {"given": {"a": [1]}}
    assert edge.get("/nothing").status == 404
    assert edge.post("/items", json=1).status == 422


@example("cron")
def test_cron(edge: Edge) -> None:
    assert edge.get("/").text == "not yet"

    edge.run(edge.cron("*/3 * * * *"))

    assert edge.get("/").text == f"*/3 * * * * {edge.clock.now_ms()}"


@example("sync_http_clients")
def test_sync_http_clients(edge: Edge) -> None:
    edge.origin.on("https://example.com/", body="<h1>Example Domain</h1>", headers={"content-type": "text/html"})

    told = {"status": 200, "saw_it": True, "content_type": "text/html"}
    assert edge.get("/sync").json() == {
        "target": "https://example.com/",
        "results": [{"client": client, **told} for client in ("requests", "urllib3", "httpx.Client")],
    }
    assert len(edge.origin.requests) == 3
    assert edge.get("/other").status == 404


@example("image_gen")
def test_image_gen(edge: Edge) -> None:
    assert "<title>Images</title>" in edge.get("/").text
    reply = edge.get("/placeholder?width=3&height=2")

    assert reply.headers.get("content-type") == "image/png"
    assert reply.content[:8] == b"\x89PNG\r\n\x1a\n"
    assert reply.content[16:24] == bytes([0, 0, 0, 3, 0, 0, 0, 2])


_DJANGO = """
import json, pathlib, sys
from edgeworker.testing import Edge

with Edge(pathlib.Path(sys.argv[1])) as edge:
    home, missing = edge.get("/"), edge.get("/nothing")
    greeting = edge.get("/greet/Ann/?q=1", headers={"User-Agent": "test"})
    print(json.dumps([home.text, greeting.json(), missing.status]))
"""


def _run_django(code: str, example: str) -> object:
    """In a process of its own: Django has one configuration for a whole process."""
    command = [sys.executable, "-c", code, str(EXAMPLES / example)]
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    told: object = json.loads(ran.stdout)
    return told


def test_django() -> None:
    greeting = {"hello": "Ann", "asked": "1", "agent": "test"}
    assert _run_django(_DJANGO, "django_wsgi") == ["Hello from Django", greeting, 404]


_DJANGO_MODELS = """
import json, pathlib, sys
from edgeworker.testing import Edge

FORM = {"content-type": "application/x-www-form-urlencoded"}

with Edge(pathlib.Path(sys.argv[1])) as edge:
    added = edge.post("/books/add", body=b"title=A&author=B", headers=FORM)
    page = edge.get("/books/page")
    print(json.dumps([added.json() if added.status == 200 else added.text, page.text, page.headers.get("x-library")]))
"""


def test_django_with_models_of_its_own() -> None:
    told = _run_django(_DJANGO_MODELS, "django_models")

    added = {
        "found": ["A"],
        "model": "library.book",
        "app": "library",
        "module": "library.models",
        "saved": ["A"],
        "logged": ["added A"],
    }
    assert told == [added, "<h1>Books of Ann</h1>\n", "yes"]


@example("flask_wsgi")
def test_flask(edge: Edge) -> None:
    assert edge.get("/").json() == {"message": "ok"}
    assert edge.get("/hello/Ann").json() == {"message": "Hello, Ann!"}
    assert edge.post("/echo?a=1", json={"x": 1}).json() == {"received": {"x": 1}, "args": {"a": "1"}}


@example("highlight")
def test_rpc_between_workers(edge: Edge) -> None:
    reply = edge.post("https://site.local.workers.dev/", body="def f(): pass")

    assert reply.text.startswith('python <div class="highlight"><pre>')
    assert "no language 'no such' None" in reply.text


@example("opengraph")
def test_opengraph(edge: Edge) -> None:
    page = '<html><head><meta property="og:title" content="old"><title>x</title></head><body></body></html>'
    edge.origin.on("https://example.com/blog/x", body=page, headers={"content-type": "text/html"})

    assert edge.get("/blog/x").text == (
        '<html><head><meta property="og:type" content="website" /><meta property="og:title" content="Page /blog/x" />'
        "<title>x</title></head><body></body></html>"
    )


NOT_EMULATED = [
    ("/d1", "env.DB.prepare: D1 Database is not emulated by edgeworker"),
    ("/r2", "env.BUCKET.get: R2"),
    ("/ai", "env.AI.run: "),
    ("/do", "env.ROOMS.getByName: Durable Object"),
    ("/workflow", "env.ORDERS.create: Workflow"),
    ("/queue", "env.QUEUE.send: Queue"),
]


@pytest.mark.parametrize(("path", "says"), NOT_EMULATED)
@example("not_emulated")
def test_a_binding_that_is_not_emulated_is_named_when_it_is_used(
    edge: Edge, caplog: pytest.LogCaptureFixture, path: str, says: str
) -> None:
    with caplog.at_level(logging.ERROR):
        assert edge.get("/").text == "runs"
        assert edge.get(path).status == 500

    assert "not emulated" in caplog.text
    assert says in caplog.text


def old(name: str) -> Config:
    """As `wrangler.toml` of those days: a date at which module-level handlers were called."""
    return Config(
        workers=(
            Worker(
                "old",
                EXAMPLES / "old_style" / f"{name}.py",
                (KVBinding("COUNTS", "counts"),),
                compatibility_date="2024-03-20",
                compatibility_flags=("python_workers",),
                crons=("0 * * * *",),
            ),
        ),
        default_worker="old",
        default_on_every_host=True,
    )


def test_an_old_hello() -> None:
    with Edge(old("hello")) as edge:
        assert edge.get("/").text == "Hello world!"


def test_an_old_script_with_headers() -> None:
    with Edge(old("headers")) as edge:
        reply = edge.get("/", headers={"X-Name": "Ann"})

    assert (reply.text, reply.headers.get("x-greeting")) == ("<p>GET</p>", "Ann")
    assert reply.headers.get("content-type") == "text/html;charset=UTF-8"


def test_an_old_json_api() -> None:
    with Edge(old("json_api")) as edge:
        reply = edge.post("/", json={"name": "Ann", "tags": ["a", "b"]})
        assert edge.get("/").status == 405

    assert (reply.status, reply.text) == (201, '{"name":"Ann","tags":["a","b"],"upper":"ANN"}')
    assert reply.headers.get("content-type") == "application/json"


def test_an_old_router() -> None:
    with Edge(old("router")) as edge:
        assert edge.get("/search?q=a%20b").text == '{"q":"a b","page":null}'
        moved = edge.get("https://a.example/old")
        assert (moved.status, moved.headers.get("location")) == (301, "https://a.example/new")
        missing = edge.get("/x%2Fy")
        assert (missing.status, missing.headers.get("x-path")) == (404, "/x%2Fy")


def test_an_old_script_that_hashes() -> None:
    with Edge(old("hash")) as edge:
        reply = edge.post("/", body=b"abc")

    # FIPS 180-2, appendix B.1
    assert reply.text == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_an_old_proxy() -> None:
    with Edge(old("proxy")) as edge:
        edge.origin.on("https://other.example/", body="other")
        edge.origin.on("/page", body="page", status=203)
        reply = edge.get("https://site.example/page")

        assert (reply.status, reply.text, reply.headers.get("x-other")) == (203, "page", "other")
        assert edge.origin.requests[0].headers.get("x-proxied") == "yes"
        assert edge.origin.requests[1].method == "POST"


def test_an_old_counter() -> None:
    with Edge(old("kv_counter")) as edge:
        assert [edge.get("/").text for _ in range(2)] == ["visit 1, no default", "visit 2, no default"]


def test_an_old_decorated_handler() -> None:
    with Edge(old("decorated")) as edge:
        reply = edge.post(
            "/",
            body=b"name=Ann&tag=1&tag=2",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        edge.run(edge.cron("0 * * * *", worker="old"))

    assert (reply.text, reply.headers.get("content-type")) == ('{"name": "Ann", "all": ["1", "2"]}', "text/json")
