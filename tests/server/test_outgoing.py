"""Responses as they go to the wire."""

from collections.abc import AsyncIterator

import pytest

from edgeworker.messages import Body, Headers, Request, Response
from edgeworker.server.outgoing import frame
from tests.server.wires import END, GET, Answering, exchange, serving


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "a\nb", "a\rb", "a\0b"])
async def test_h9_a_response_cannot_be_split(value: str) -> None:
    async def answer(request: Request) -> Response:
        response = Response(200, body=b"x")
        response.headers.raw.append((b"X-Split", value.encode()))  # past the checks of Headers
        return response

    async with serving(Answering(answer)) as (listener, _):
        received = await exchange(listener.port, GET + END)

    assert received.startswith(b"HTTP/1.1 500 ")
    assert b"Set-Cookie" not in received


@pytest.mark.parametrize("status", [0, 100, 101, 103, 199, 600, 1000])
def test_a_status_that_ends_nothing_is_not_written(status: int) -> None:
    with pytest.raises(ValueError, match="no status that a response can end with"):
        frame(Response(status), method="GET", date=b"now", keep_alive=True, http10=False)


async def never() -> AsyncIterator[bytes]:
    raise AssertionError
    yield b""


@pytest.mark.parametrize(
    ("method", "response", "http10", "lines"),
    [
        ("GET", Response(200), False, [b"Content-Length: 0"]),
        ("GET", Response(200, body=b"abc"), False, [b"Content-Length: 3"]),
        # RFC 9112 6.3: what the body is decides, not what a script wrote
        ("GET", Response(200, Headers({"Content-Length": "9"}), b"abc"), False, [b"Content-Length: 3"]),
        ("GET", Response(200, Headers({"Transfer-Encoding": "gzip"}), b"abc"), False, [b"Content-Length: 3"]),
        ("GET", Response(200, body=Body(never())), False, [b"Transfer-Encoding: chunked"]),
        ("GET", Response(200, body=Body(never())), True, [b"Connection: close"]),
        ("GET", Response(200, body=b""), True, [b"Content-Length: 0", b"Connection: keep-alive"]),
        ("HEAD", Response(200, body=b"abc"), False, [b"Content-Length: 3"]),
        ("HEAD", Response(200, Headers({"Content-Length": "9"})), False, [b"Content-Length: 9"]),
        ("HEAD", Response(200, Headers({"Content-Length": "-9"})), False, []),
        ("HEAD", Response(200, body=Body(never())), False, []),
        ("GET", Response(204, Headers({"Content-Length": "9"})), False, []),
        ("GET", Response(304, Headers({"Content-Length": "9"})), False, [b"Content-Length: 9"]),
        ("GET", Response(304), False, []),
        ("GET", Response(205, body=b"abc"), False, [b"Content-Length: 0"]),
    ],
)
def test_the_framing_says_what_is_sent(method: str, response: Response, http10: bool, lines: list[bytes]) -> None:
    framed = frame(response, method=method, date=b"now", keep_alive=True, http10=http10)

    assert set(framed.head.split(b"\r\n")[1:-2]) == {*lines, b"Date: now"}
    assert framed.chunked == (b"Transfer-Encoding: chunked" in lines)


def test_a_date_that_is_there_stays() -> None:
    framed = frame(Response(200, Headers({"date": "then"})), method="GET", date=b"now", keep_alive=True, http10=False)

    assert framed.head == b"HTTP/1.1 200 OK\r\ndate: then\r\nContent-Length: 0\r\n\r\n"
