"""Fetching through a proxy, byte for byte; the outbound policy holds as without one (H20)."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from edgeworker.config import Outbound
from edgeworker.errors import OriginError
from edgeworker.messages import URL, Headers, Request
from tests.patience import PATIENCE_SECONDS
from tests.pki import PKI
from tests.server.wires import OK, answering, client, head, origin


class Names:
    """A resolver of the system's kind that answers as told: the n-th question about a name with its n-th answer, which
    may be several addresses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: list[str]) -> None:
        self.asked: list[str] = []
        self._answers = {name.replace("_", "."): list(addresses) for name, addresses in answers.items()}
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._getaddrinfo)

    async def _getaddrinfo(self, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        self.asked.append(host)
        answers = self._answers.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in address.split()]


def through(port: int, *allow_private: str, credentials: str = "") -> Outbound:
    proxy = f"http://{credentials}127.0.0.1:{port}"
    return Outbound(allow_private=allow_private, http_proxy=proxy, https_proxy=proxy)


def get(url: str) -> Request:
    return Request("GET", URL.parse(url), Headers({"Authorization": "Bearer t"}))


async def test_http_is_asked_of_the_proxy_with_the_whole_url(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, a_example=["93.184.215.14"])
    heads: list[bytes] = []
    async with (
        origin(answering(OK, OK, heads=heads)) as proxy,
        client(through(proxy.port, credentials="u:p@")) as outside,
    ):
        for _ in range(2):
            assert (await outside.internet.fetch(get("http://a.example/x?y=1"))).status == 200

    assert heads[0].startswith(b"GET http://a.example/x?y=1 HTTP/1.1\r\nHost: a.example\r\n")
    assert b"\r\nProxy-Authorization: Basic dTpw\r\n" in heads[0]
    assert proxy.connections == 1


async def test_https_goes_through_a_tunnel_that_the_proxy_cannot_look_into(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pki = PKI(tmp_path)
    certificate = pki.server("a.example")
    Names(monkeypatch, a_example=["93.184.215.14"])
    asked: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await head(reader))
        writer.write(b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n")
        await writer.start_tls(context)
        asked.append(await head(reader))
        writer.write(OK)

    async with origin(play) as proxy:
        settings = through(proxy.port, credentials="u:p@")
        outbound = Outbound(ca_file=pki.ca, http_proxy=settings.http_proxy, https_proxy=settings.https_proxy)
        async with client(outbound) as outside, asyncio.timeout(PATIENCE_SECONDS):
            response = await outside.internet.fetch(get("https://a.example/x"))

    assert response.status == 200
    assert asked[0] == (
        b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
    )
    assert asked[1].startswith(b"GET /x HTTP/1.1\r\nHost: a.example\r\n")
    assert b"Proxy-Authorization" not in asked[1]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "answered 403"),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nX: y\r\n\r\n", "answered 407"),
        (b"HTTP/1.1 200 OK\r\n\r\nGET", "sent more than its answer"),
        (b"SSH-2.0\r\n\r\n", "did not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000, "sent too large a head"),
        (b"HTTP/1.1 200 OK\r\n", "closed the connection"),
        (b"", "closed the connection"),
    ],
)
async def test_a_proxy_that_opens_no_tunnel_is_named(monkeypatch: pytest.MonkeyPatch, answer: bytes, text: str) -> None:
    Names(monkeypatch, a_example=["93.184.215.14"])

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(answer)
        await writer.drain()

    async with origin(play) as proxy, client(through(proxy.port, credentials="u:secret@")) as outside:
        with pytest.raises(OriginError, match=f"the proxy http://127.0.0.1:{proxy.port}, .*, {text}") as caught:
            await outside.internet.fetch(get("https://a.example/"))

    assert caught.value.status == 523
    assert "secret" not in str(caught.value)


async def test_a_proxy_that_is_down_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch, a_example=["93.184.215.14"])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        async with client(through(port)) as outside:
            with pytest.raises(OriginError, match=f"through http://127.0.0.1:{port} refused the connection"):
                await outside.internet.fetch(get("http://a.example/"))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["169.254.169.254", "10.0.0.1", "[fd00::1]", "internal.example", "unknown.example"])
async def test_h20_what_a_script_may_not_reach_is_not_asked_of_a_proxy_either(
    monkeypatch: pytest.MonkeyPatch, scheme: str, host: str
) -> None:
    Names(monkeypatch, internal_example=["10.0.0.7"])
    async with origin(answering(OK)) as proxy, client(through(proxy.port)) as outside:
        with pytest.raises(OriginError, match=r"to outbound\.allow_private") as caught:
            await outside.internet.fetch(get(f"{scheme}://{host}/"))

        assert caught.value.status == 403
        assert proxy.connections == 0


async def test_a_name_that_only_the_proxy_knows_can_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    Names(monkeypatch)
    async with origin(answering(OK)) as proxy, client(through(proxy.port, "unknown.example")) as outside:
        assert (await outside.internet.fetch(get("http://unknown.example/"))).status == 200


async def test_h20_a_name_that_turns_private_between_two_questions_is_connected_to_where_it_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected: list[tuple[str, int]] = []
    names = Names(monkeypatch, rebind_example=["93.184.215.14", "127.0.0.1"])

    async def create_connection(_: object, host: str, port: int, **__: object) -> None:
        connected.append((host, port))
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection)
    async with client(Outbound()) as outside:
        with pytest.raises(OriginError, match="refused the connection"):
            await outside.internet.fetch(get("http://rebind.example:8788/"))
        with pytest.raises(OriginError, match="not on the public internet"):
            await outside.internet.fetch(get("http://rebind.example:8788/"))

    assert names.asked == ["rebind.example"] * 2
    assert connected == [("93.184.215.14", 8788)]


@pytest.mark.parametrize(
    "answer", ["127.0.0.1 93.184.215.14", "93.184.215.14 10.0.0.1", "::1 fe80::1%eth0 93.184.215.14"]
)
async def test_h20_of_a_name_that_is_public_and_private_only_the_public_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    connected: list[str] = []
    Names(monkeypatch, mixed_example=[answer])

    async def create_connection(_: object, host: str, __: int, **___: object) -> None:
        connected.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection)
    async with client(Outbound()) as outside:
        with pytest.raises(OriginError, match="refused the connection"):
            await outside.internet.fetch(get("http://mixed.example/"))

    assert connected == ["93.184.215.14"]
