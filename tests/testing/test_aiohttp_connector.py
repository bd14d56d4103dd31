"""aiohttp sessions talk to an edge without a socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from edgeworker.testing.local import LocalEdge
from tests.testing.scripts import worker_config

ECHO = """
async def fetch(self, request):
    if "/pass" in request.url:
        return await fetch(request)
    if "/large" in request.url:
        return Response("x" * 1_000_000)
    return Response(f"{request.method} {request.url} {request.headers.get('cf-connecting-ip')} {await request.text()}")
"""


async def _pieces() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield b"p" * 10_000


async def test_a_session_asks_the_edge_over_its_own_http_server(tmp_path: Path) -> None:
    async with (
        LocalEdge(worker_config(tmp_path, ECHO)) as edge,
        aiohttp.ClientSession(connector=edge.aiohttp_connector()) as session,
    ):
        for scheme in ("http", "https"):
            async with session.post(f"{scheme}://api.example.com/a?b=1", data="hi") as answer:
                assert await answer.text() == f"POST {scheme}://api.example.com/a?b=1 192.0.2.1 hi"
        async with session.get("https://api.example.com:8443/") as answer:
            assert (await answer.text()).startswith("GET https://api.example.com:8443/ ")


async def test_large_bodies_pass_in_both_directions(tmp_path: Path) -> None:
    async with (
        LocalEdge(worker_config(tmp_path, ECHO)) as edge,
        aiohttp.ClientSession(connector=edge.aiohttp_connector()) as session,
    ):
        async with session.get("http://api.example.com/large") as answer:
            assert len(await answer.read()) == 1_000_000
        async with session.put("http://api.example.com/pass", data=_pieces()) as answer:
            assert await answer.text() == "origin\n"

        assert edge.origin.requests[0].body == b"p" * 1_000_000


async def test_what_is_not_http_is_refused_as_on_a_socket(tmp_path: Path) -> None:
    async with (
        LocalEdge(worker_config(tmp_path, ECHO)) as edge,
        aiohttp.ClientSession(connector=edge.aiohttp_connector()) as session,
    ):
        async with session.get("http://api.example.com/", headers={"Host": "a@b"}) as answer:
            assert answer.status == 400
        async with session.get("http://api.example.com/") as answer:
            assert answer.status == 200
