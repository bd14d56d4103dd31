"""httpx clients talk to an edge without a socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from edgeworker.testing.local import LocalEdge
from tests.testing.scripts import edge_of, worker_config

ECHO = """
async def fetch(self, request):
    if "/pass" in request.url:
        return await fetch(request)
    length = request.headers.get("content-length") or "none"
    headers = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-length", length)]
    return Response(f"{request.method} {request.url} {await request.text()}", status=201, headers=headers)
"""


def test_a_client_without_async_asks_the_edge(tmp_path: Path) -> None:
    with (
        edge_of(tmp_path, ECHO) as edge,
        httpx.Client(transport=edge.httpx_transport(), base_url="https://api.example.com") as client,
    ):
        answer = client.post("/a", params={"b": 1}, content="hi")
        bare = client.get("/")

        assert (answer.status_code, answer.text) == (201, "POST https://api.example.com/a?b=1 hi")
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert (answer.headers["x-length"], bare.headers["x-length"]) == ("2", "none")


async def test_an_async_client_streams_both_ways(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async with (
        LocalEdge(worker_config(tmp_path, ECHO)) as edge,
        httpx.AsyncClient(transport=edge.httpx_transport()) as client,
    ):
        edge.origin.on("/pass", body=[b"x", b"y"])
        async with client.stream("PUT", "https://api.example.com/pass", content=pieces()) as answer:
            received = [piece async for piece in answer.aiter_raw()]

        assert received == [b"x", b"y"]
        assert edge.origin.requests[0].body == b"ab"
        assert (await client.get("https://api.example.com/")).text == "GET https://api.example.com/ "
