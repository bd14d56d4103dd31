"""H26 on the wire: no origin and no script sets a cookie that belongs to the edge."""

from pathlib import Path

import pytest

from tests.server.chains import chain
from tests.server.wires import END, GET, answering, exchange

SETTING = """\
from js import Headers
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        headers = Headers.new()
        headers.append("Set-Cookie", "own=1; Path=/")
        headers.append("Set-Cookie", %r)
        return Response("ok", headers=headers)
"""
FORGED = [
    "CF_Authorization=evil; Path=/",
    "CF_Authorization=evil; Domain=a.example",
    "CF_Authorization=evil; Domain=.example; Path=/api; HttpOnly",
    "CF_Authorization =evil",
    " \tCF_Authorization=evil",
    "=CF_Authorization=evil",
    "= =CF_Authorization=evil",
    "cf_authorization=evil",
    "CF_Authorization",
    "CF_Authorization; Max-Age=0",
    "CF_AppSession=evil; Max-Age=0",
    "CF_Session=evil",
    "CF_Binding=evil",
    "CF_Device=evil",
]
HONEST = [
    "a=CF_Authorization=1; Path=/",
    "X_CF_Authorization=1",
    "CF_AuthorizationX=1; Domain=a.example",
    "a=1; CF_Authorization=2",
    "",
]


def cookies(received: bytes) -> list[str]:
    lines = received.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return [line.partition(": ")[2] for line in lines if line.lower().startswith("set-cookie:")]


async def set_by_origin(tmp_path: Path, cookie: str) -> list[str]:
    answer = (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: own=1; Path=/\r\nsEt-CoOkIe: "
        + cookie.encode("latin-1")
        + b"\r\nContent-Length: 2\r\n\r\nok"
    )
    async with chain(tmp_path, answering(answer)) as whole:
        received = await exchange(whole.port, GET + END)
    assert received.endswith(b"\r\n\r\nok")
    return cookies(received)


async def set_by_script(tmp_path: Path, cookie: str) -> list[str]:
    async with chain(tmp_path, answering(), routes=("a.example/*",), script=SETTING % cookie) as whole:
        received = await exchange(whole.port, GET + END)
    assert received.endswith(b"\r\n\r\nok")
    return cookies(received)


@pytest.mark.parametrize("cookie", FORGED)
async def test_h26_a_cookie_of_the_edge_set_by_an_origin_or_a_script_is_left_out(tmp_path: Path, cookie: str) -> None:
    assert await set_by_origin(tmp_path, cookie) == ["own=1; Path=/"]
    assert await set_by_script(tmp_path, cookie) == ["own=1; Path=/"]


@pytest.mark.parametrize("cookie", HONEST)
async def test_h26_every_other_cookie_is_passed_on(tmp_path: Path, cookie: str) -> None:
    assert await set_by_origin(tmp_path, cookie) == ["own=1; Path=/", cookie]
    assert await set_by_script(tmp_path, cookie) == ["own=1; Path=/", cookie]
