"""H20 and H22 as an attacker meets them: a script fetches the URL that the client gives it."""

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest

from edgeworker.config import Outbound
from tests.server.chains import chain
from tests.server.wires import END, OK, answering, exchange, head, origin

FETCHER = """\
from urllib.parse import parse_qs, urlsplit

from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        (url,) = parse_qs(urlsplit(request.url).query)["u"]
        try:
            answer = await fetch(url, headers={"Authorization": "Bearer t", "Cookie": "a=b", "X-Own": "1"})
        except Exception as error:
            return Response(f"{type(error).__name__}: {error}", status=599)
        return Response(await answer.text(), status=answer.status)
"""


async def fetched(tmp_path: Path, url: str, outbound: Outbound) -> bytes:
    """The answer to a request whose script was told to fetch `url`."""
    async with chain(tmp_path, answering(OK), script=FETCHER, outbound=outbound) as whole:
        target = b"/api?u=" + quote(url, safe="").encode()
        return await exchange(whole.port, b"GET " + target + b" HTTP/1.1\r\nHost: a.example\r\n" + END)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "0251.0376.0251.0376",
        "0xa9fea9fe",
        "0xa9.0xfe.0xa9.0xfe",
        "169.254.43518",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "\uff11\uff16\uff19.254.169.254",
        "169\u3002254\u3002169\u3002254",
        "127.0.0.1",
        "[::1]",
        "[::]",
        "0.0.0.0",
        "0",
        "localhost",
        "LOCALHOST",
        "user@127.0.0.1",
        "a.example@127.0.0.1",
    ],
)
async def test_h20_no_spelling_of_a_private_address_is_fetched(tmp_path: Path, host: str) -> None:
    async with origin(answering(OK)) as server:
        received = await fetched(tmp_path, f"http://{host}:{server.port}/latest/meta-data/", Outbound())

    assert received.startswith(b"HTTP/1.1 599 ")
    assert b"is not on the public internet" in received
    assert server.connections == 0


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:6379/_x"])
async def test_h20_only_http_is_fetched(tmp_path: Path, url: str) -> None:
    received = await fetched(tmp_path, url, Outbound(allow_private=("*",)))

    assert received.startswith(b"HTTP/1.1 599 ")
    assert b"Fetch API cannot load: " + url.encode() in received


@pytest.mark.parametrize("location", ["http://127.0.0.1:{port}/b", "//127.0.0.1:{port}/b", "http://0x7f.1:{port}/b"])
async def test_h20_each_hop_of_a_redirect_is_checked(tmp_path: Path, location: str) -> None:
    heads: list[bytes] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await head(reader))
        port = writer.get_extra_info("sockname")[1]
        to = location.format(port=port).encode()
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: " + to + b"\r\nContent-Length: 0\r\n\r\n")

    async with origin(play) as server:
        received = await fetched(tmp_path, f"http://localhost:{server.port}/a", Outbound(allow_private=("localhost",)))

    assert b"is not on the public internet" in received
    assert len(heads) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://"])
async def test_h20_a_redirect_to_what_is_not_an_http_url_fails(tmp_path: Path, location: str) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + location.encode() + b"\r\nContent-Length: 0\r\n\r\n"
    async with origin(answering(answer)) as server:
        received = await fetched(tmp_path, f"http://localhost:{server.port}/a", Outbound(allow_private=("*",)))

    assert b"redirects to what is not an http(s) URL" in received


@pytest.mark.parametrize("other", [False, True])
async def test_h22_credentials_do_not_follow_a_redirect_to_another_origin(tmp_path: Path, other: bool) -> None:
    heads: list[bytes] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append(await head(reader))
            port = writer.get_extra_info("sockname")[1]
            to = f"http://{'127.0.0.1' if other else 'localhost'}:{port}/b".encode()
            answer = b"HTTP/1.1 307 Found\r\nLocation: " + to + b"\r\nContent-Length: 0\r\n\r\n"
            writer.write(OK if b"/b HTTP" in heads[-1] else answer)

    async with origin(play) as server:
        received = await fetched(tmp_path, f"http://localhost:{server.port}/a", Outbound(allow_private=("*",)))

    assert received.endswith(b"ok")
    first, second = (one.lower() for one in heads)
    for name in (b"authorization", b"cookie"):
        assert b"\r\n" + name + b": " in first
        assert (b"\r\n" + name + b": " in second) is not other
    assert b"\r\nx-own: 1\r\n" in second
