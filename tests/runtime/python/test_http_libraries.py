"""HTTP libraries in a script."""

import asyncio
import gzip
import importlib
import shutil
import socket
import textwrap
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import requests
import urllib3

from edgeworker.clock import SystemClock
from edgeworker.config import Outbound
from edgeworker.errors import OriginError, ScriptError
from edgeworker.messages import URL, Body, Headers, Request, Response
from edgeworker.runtime.python import http_libraries
from edgeworker.server import OriginClient
from tests.patience import PATIENCE_SECONDS
from tests.runtime.stage import IMPORTS, Answer, Stage

SCRIPT = (
    IMPORTS
    + """
import asyncio, aiohttp, http.client, httpx, httpx2, requests, urllib.request, urllib3

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        try:
            value = await self.value()
        except Exception as error:
            value = f"{type(error).__module__.partition('.')[0]}.{type(error).__name__}: {error}"
        return Response(value if isinstance(value, str) else repr(value))

    async def value(self):
        url = "https://o.example/x"
"""
)

CALLS = [
    # (statement, expression, what it answers)
    ("r = requests.get(url, timeout=10)", "r.status_code, r.text, r.headers['x-a']", "(200, 'GET /x', '1')"),
    ("r = requests.post(url + '?a=b', json={'a': 1})", "r.text", 'POST /x?a=b {"a": 1} application/json'),
    ("r = requests.post(url, data=iter([b'a', b'b']))", "r.text", "POST /x ab"),
    ("r = requests.put(url, data={'a': '1 2'})", "r.text", "PUT /x a=1+2 application/x-www-form-urlencoded"),
    ("r = requests.Session().get('https://o.example/moved')", "r.text, r.history[0].status_code", "('GET /x', 302)"),
    ("r = requests.get('https://o.example/moved', allow_redirects=False)", "r.status_code", "302"),
    ("r = requests.get('https://o.example/gone')", "r.ok, r.status_code, r.reason", "(False, 404, 'Not Found')"),
    ("r = requests.head(url)", "r.status_code, r.content", "(200, b'')"),
    ("r = requests.get(url, stream=True)", "list(r.iter_content(4))", "[b'GET ', b'/x']"),
    ("r = requests.get('http://o.example:8080/y')", "r.text, r.url", "('GET /y', 'http://o.example:8080/y')"),
    ("r = urllib3.PoolManager().request('GET', url, timeout=10.0)", "r.status, r.data", "(200, b'GET /x')"),
    ("r = urllib3.request('POST', url, body='é')", "r.data.decode(), r.headers.get('X-A')", "('POST /x é', '1')"),
    ("r = urllib3.PoolManager().request('GET', url, preload_content=False)", "r.read(3), r.read()", "(b'GET', b' /x')"),
    ("r = httpx.get(url)", "r.status_code, r.text, r.headers['x-a']", "(200, 'GET /x', '1')"),
    ("r = httpx.post(url, content=b'c', headers={'content-type': 'a/b'})", "r.text", "POST /x c a/b"),
    ("r = httpx.get('https://o.example/moved', follow_redirects=True)", "r.text", "GET /x"),
    ("with httpx.Client() as c:\n    r = c.get(url, timeout=10.0)", "r.text, r.is_success", "('GET /x', True)"),
    ("async with httpx.AsyncClient() as c:\n    r = await c.get(url)", "r.text", "GET /x"),
    (
        "async with httpx.AsyncClient() as c:\n    r = await c.post(url, json=[1])",
        "r.text",
        "POST /x [1] application/json",
    ),
    ("r = httpx2.get(url)", "r.status_code, r.text, r.headers['x-a']", "(200, 'GET /x', '1')"),
    ("r = httpx2.get('https://o.example/moved', follow_redirects=True)", "r.text", "GET /x"),
    (
        "async with httpx2.AsyncClient() as c:\n    r = await c.post(url, json=[1])",
        "r.text",
        "POST /x [1] application/json",
    ),
    ("r = urllib.request.urlopen(url)", "r.status, r.read(), r.headers['x-a']", "(200, b'GET /x', '1')"),
    ("r = urllib.request.urlopen(url, b'a=b')", "r.read()", "b'POST /x a=b application/x-www-form-urlencoded'"),
    ("r = urllib.request.urlopen('https://o.example/moved')", "r.read(), r.url", "(b'GET /x', 'https://o.example/x')"),
    (
        "try:\n    urllib.request.urlopen('https://o.example/gone')\nexcept urllib.error.HTTPError as e:\n    r = e",
        "r.code, r.reason, r.read(), r.close()",
        "(404, 'Not Found', b'GET /gone', None)",
    ),
    (
        "c = http.client.HTTPSConnection('o.example')\nc.request('GET', '/x?a=b')",
        "c.getresponse().read()",
        "b'GET /x?a=b'",
    ),
    (
        "c = http.client.HTTPConnection('o.example', 80)\nc.request('PUT', '/y', iter([b'a']), encode_chunked=True)",
        "c.getresponse().read(4)",
        "b'PUT '",
    ),
    ("c = http.client.HTTPSConnection('o.example')\nc.request('HEAD', '/x')", "c.getresponse().read()", "b''"),
    (
        "async with aiohttp.ClientSession() as c, c.get(url) as r:\n    t = await r.text()",
        "r.status, t, r.headers['x-a']",
        "(200, 'GET /x', '1')",
    ),
    (
        "async with aiohttp.ClientSession() as c, c.post(url, json={'a': 1}) as r:\n    t = await r.read()",
        "t",
        "b'POST /x {\"a\": 1} application/json'",
    ),
    (
        "async with aiohttp.ClientSession() as c, c.get('https://o.example/moved') as r:\n    t = await r.text()",
        "t, r.history[0].status",
        "('GET /x', 302)",
    ),
    (
        "async with aiohttp.request('PUT', 'http://o.example:80/y', data=b'z' * 100000) as r:\n    t = await r.text()",
        "t[:8], len(t)",
        "('PUT /y z', 100032)",
    ),
    ("async with aiohttp.ClientSession() as c, c.head(url) as r:\n    t = await r.text()", "t", ""),
    ("r = await asyncio.to_thread(requests.get, url)", "r.text", "GET /x"),
    ("r = await asyncio.to_thread(httpx.get, url)", "r.text", "GET /x"),
]


def _answer(request: Request) -> Response:
    if request.url.path == "/moved":
        return Response(302, body=b"", headers=_headers(location="/x"))
    body = b"" if request.body is None else request.body.complete
    assert body is not None
    kind = request.headers.get("content-type") or ""
    text = " ".join(
        part for part in (request.method, request.url.path + request.url.query, body.decode(), kind) if part
    )
    status = 404 if request.url.path == "/gone" else 200
    content = None if request.method == "HEAD" else Body(_pieces(text.encode()))
    return Response(status, _headers(x_a="1"), content, status_text="Not Found" if status == 404 else "OK")


def _headers(**fields: str) -> Headers:
    return Headers([(name.replace("_", "-"), value) for name, value in fields.items()])


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content[:2]
    yield content[2:]


async def _run(stage: Stage, statement: str, expression: str) -> Answer:
    lines = textwrap.indent(f"{statement}\nreturn {expression}\n", " " * 8)
    stage.add(SCRIPT + lines)
    return await stage.get()


@pytest.mark.parametrize(("statement", "expression", "answers"), CALLS)
async def test_a_script_uses_an_http_library(stage: Stage, statement: str, expression: str, answers: str) -> None:
    stage.origin.answer = _answer

    assert (await _run(stage, statement, expression)).text == answers
    assert stage.origin.requests[-1].redirect == "manual"


@pytest.mark.parametrize(
    "call",
    ["requests.get(url).text", "httpx.get(url).text", "urllib3.request('GET', url).data", "httpx2.get(url).text"],
)
async def test_a_compressed_answer_is_decoded_once(stage: Stage, call: str) -> None:
    stage.origin.answer = lambda _: Response(200, _headers(content_encoding="gzip"), gzip.compress(b"plain"))

    assert "plain" in (await _run(stage, "", call)).text
    assert "gzip" in (stage.origin.requests[0].headers.get("accept-encoding") or "gzip")


REFUSED = [
    # (call, error)
    ("requests.get(url)", "requests.ConnectionError"),
    ("urllib3.PoolManager(retries=False).request('GET', url)", "urllib3.NewConnectionError"),
    ("httpx.get(url)", "httpx.ConnectError"),
    ("await httpx.AsyncClient().get(url)", "httpx.ConnectError"),
    ("httpx2.get(url)", "httpx2.ConnectError"),
    ("await httpx2.AsyncClient().get(url)", "httpx2.ConnectError"),
    ("urllib.request.urlopen(url)", "urllib.URLError"),
    ("await (await aiohttp.request('GET', url).__aenter__()).text()", "aiohttp.ClientOSError"),
]


@pytest.mark.parametrize(("call", "error"), REFUSED)
async def test_what_the_outbound_policy_refuses_is_the_librarys_own_error(stage: Stage, call: str, error: str) -> None:
    def refuse(_request: Request) -> Response:
        raise OriginError("10.0.0.1 is a private address", status=403)

    stage.origin.answer = refuse

    text = (await _run(stage, "", call)).text

    assert text.startswith(error)
    assert "10.0.0.1 is a private address" in text


@pytest.mark.parametrize("library", ["requests", "httpx", "httpx2", "urllib3"])
async def test_a_private_address_is_refused_by_the_edges_own_client(stage: Stage, library: str) -> None:
    call = f"{library}.request('GET', 'http://127.0.0.1:1/')"
    lines = textwrap.indent(f"return {call}\n", " " * 8)
    worker = stage.add(SCRIPT + lines)
    client = OriginClient(Outbound(), SystemClock())

    response = await worker.run(Request("GET", URL.parse("https://a.b/")), client.internet)
    await client.close()

    assert response.body is not None
    assert "allow_private" in (await response.body.read()).decode()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("requests.get(url, timeout=0.01)", "requests.ReadTimeout"),
        ("httpx.get(url, timeout=0.01)", "httpx.ReadTimeout"),
        ("await httpx.AsyncClient().get(url, timeout=0.01)", "httpx.ReadTimeout"),
        ("httpx2.get(url, timeout=0.01)", "httpx2.ReadTimeout"),
        ("urllib.request.urlopen(url, timeout=0.01)", "builtins.TimeoutError"),
        (
            "await aiohttp.request('GET', url, timeout=aiohttp.ClientTimeout(total=0.01)).__aenter__()",
            "builtins.TimeoutError",
        ),
    ],
)
async def test_a_timeout_is_the_librarys_own_error(stage: Stage, call: str, error: str) -> None:
    class Silent:
        async def fetch(self, _request: Request, /) -> Response:
            await asyncio.Event().wait()
            raise AssertionError

    lines = textwrap.indent(f"return {call}\n", " " * 8)
    worker = stage.add(SCRIPT + lines)

    response = await worker.run(Request("GET", URL.parse("https://a.b/")), Silent())

    assert response.body is not None
    assert (await response.body.read()).decode().startswith(error)


async def test_others_are_served_while_a_synchronous_library_waits(stage: Stage) -> None:
    begun: list[str] = []
    both = asyncio.Event()

    class Meeting:
        """Answers no one before two have asked."""

        async def fetch(self, request: Request, /) -> Response:
            begun.append(request.url.path)
            if len(begun) == 2:
                both.set()
            await both.wait()
            return Response(200, body=b"met")

    worker = stage.add(SCRIPT + "        return requests.get(url).text\n")
    request = Request("GET", URL.parse("https://a.b/"))

    async with asyncio.timeout(PATIENCE_SECONDS):
        one, other = await asyncio.gather(worker.run(request, Meeting()), worker.run(request, Meeting()))

    assert (one.status, other.status) == (200, 200)


async def test_a_library_that_is_imported_in_the_handler_works_too(stage: Stage) -> None:
    stage.add_fetch("import requests\nreturn Response(requests.get('https://o.example/').text)")

    assert (await stage.get()).text == "from the origin"


async def test_a_package_that_stands_on_a_library_may_be_imported_in_the_handler(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importlib.import_module("httpx")  # where the package is the first of the process to import it, it stays as it is
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "made_for_asking.py").write_text("def ask(url):\n    import httpx\n    return httpx.get(url).text\n")
    stage.add_fetch("import made_for_asking\nreturn Response(made_for_asking.ask('https://o.example/'))")

    assert (await stage.get()).text == "from the origin"


async def test_a_request_at_the_top_of_a_script_is_refused(stage: Stage) -> None:
    with pytest.raises(ScriptError, match="a synchronous HTTP request works in a handler"):
        stage.add("import requests\nrequests.get('https://o.example/')\n")


async def test_a_copy_beside_the_script_is_adapted_too(stage: Stage) -> None:
    installed = Path(urllib3.__file__).parent
    main = IMPORTS + "import urllib3\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
    main += "        return Response(urllib3.request('GET', 'https://o.example/').data + urllib3.MARK)\n"
    path = stage.write({"src/worker.py": main}, main="src/worker.py").parent.parent
    shutil.copytree(installed, path / "src" / "urllib3")
    init = path / "src" / "urllib3" / "__init__.py"
    init.write_text(init.read_text() + "\nMARK = b' by the copy'\n")

    stage.add({"src/worker.py": main}, main="src/worker.py")

    assert (await stage.get()).text == "from the origin by the copy"


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
async def test_a_copy_of_httpx_is_adapted_when_all_of_it_is_there(stage: Stage, library: str) -> None:
    """It names its transports before the classes of bodies, which each import within it could find missing."""
    installed = Path(importlib.import_module(library).__file__ or "").parent
    main = IMPORTS + f"import {library}\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
    main += f"        async with {library}.AsyncClient() as client:\n"
    main += f"            return Response((await client.get('https://o.example/')).text + {library}.MARK)\n"
    path = stage.write({"src/worker.py": main}, main="src/worker.py").parent.parent
    shutil.copytree(installed, path / "src" / library)
    init = path / "src" / library / "__init__.py"
    init.write_text(init.read_text() + "\nMARK = ' by the copy'\n")

    stage.add({"src/worker.py": main}, main="src/worker.py")

    assert (await stage.get()).text == "from the origin by the copy"


def test_callers_that_are_not_scripts_go_out_as_before() -> None:
    http_libraries.adapt_imported("requests", "nobody@1:")
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_answer_once, args=(listener,))
    thread.start()

    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout=PATIENCE_SECONDS)
    thread.join()
    listener.close()

    assert answer.text == "socket"


def _answer_once(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsocket")


async def test_an_answer_that_was_read_in_part_is_read_on(stage: Stage) -> None:
    """openai reads what follows the last event by a second iteration."""
    stage.add(SCRIPT + textwrap.indent(
        """
async with httpx2.AsyncClient() as client, client.stream("GET", url) as response:
    first = b""
    async for piece in response.stream:
        first += piece
        break
    rest = b"".join([piece async for piece in response.stream])
    return (first + rest).decode()
""",
        " " * 8,
    ))  # fmt: skip

    assert (await stage.get()).text == "from the origin"
