"""Who the client is behind proxies."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.config import Limits, Socket
from edgeworker.errors import ConfigError
from edgeworker.messages import Client, Request, Response
from edgeworker.server import proxies
from tests.server.wires import END, GET, Answering, exchange, serving


def proxied(*trusted: str, proxy_protocol: bool = False) -> Socket:
    return Socket(port=0, trusted_proxies=trusted, proxy_protocol=proxy_protocol)


async def who(request: Request) -> Response:
    return Response(200, body=f"{request.client.ip} {request.url.scheme}".encode())


@pytest.mark.parametrize(
    ("trusted", "fields", "expected"),
    [
        ((), b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n", b"127.0.0.1 http"),
        (("10.0.0.0/8",), b"X-Forwarded-For: 6.6.6.6\r\n", b"127.0.0.1 http"),
        (
            ("127.0.0.1",),
            b"X-Forwarded-For: 6.6.6.6, 198.51.100.7\r\nX-Forwarded-Proto: https\r\n",
            b"198.51.100.7 https",
        ),
        (("127.0.0.0/8", "10.0.0.0/8"), b"X-Forwarded-For: 6.6.6.6, 198.51.100.7, 10.1.1.1\r\n", b"198.51.100.7 http"),
        (("127.0.0.1",), b"X-Forwarded-For: nonsense\r\nX-Forwarded-Proto: gopher\r\n", b"127.0.0.1 http"),
        (("127.0.0.1",), b"", b"127.0.0.1 http"),
    ],
)
async def test_only_a_listed_proxy_may_name_the_client(
    trusted: tuple[str, ...], fields: bytes, expected: bytes
) -> None:
    async with serving(Answering(who), socket=proxied(*trusted)) as (listener, _):
        received = await exchange(listener.port, GET + fields + END)

    assert received.endswith(b"\r\n\r\n" + expected)


V2 = b"\r\n\r\n\0\r\nQUIT\n"


@pytest.mark.parametrize(
    ("trusted", "announcement", "expected"),
    [
        ("127.0.0.1", b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n", b"198.51.100.7 http"),
        ("127.0.0.1", b"PROXY UNKNOWN\r\n", b"127.0.0.1 http"),
        (
            "127.0.0.1",
            V2 + b"\x21\x11\x00\x0c" + bytes([198, 51, 100, 7, 192, 0, 2, 1]) + b"\x12\x67\x01\xbb",
            b"198.51.100.7 http",
        ),
        ("127.0.0.1", V2 + b"\x20\x00\x00\x00", b"127.0.0.1 http"),
        # Whom the header names is the client, whatever that client says of others.
        ("127.0.0.1", b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n", b"2001:db8::1 http"),
        ("127.0.0.1", b"PROXY TCP6 ::ffff:198.51.100.7 ::1 1 2\r\n", b"198.51.100.7 http"),
        ("127.0.0.1", b"", None),
        ("127.0.0.1", b"PROXY TCP4 198.51.100.7\r\n", None),
        ("10.0.0.1", b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n", None),
    ],
)
async def test_the_proxy_protocol_is_spoken_with_listed_proxies_only(
    trusted: str, announcement: bytes, expected: bytes | None
) -> None:
    handler = Answering(who)
    async with serving(handler, socket=proxied(trusted, proxy_protocol=True)) as (listener, _):
        received = await exchange(listener.port, announcement + GET + END)

    if expected is None:
        assert (handler.requests, received) in (([], b""), ([], b"<reset>"))
    else:
        assert received.endswith(b"\r\n\r\n" + expected)


async def test_a_second_proxy_header_is_the_clients_and_no_request() -> None:
    handler = Answering(who)
    data = b"PROXY TCP4 198.51.100.7 192.0.2.1 1 2\r\nPROXY TCP4 6.6.6.6 192.0.2.1 1 2\r\n" + GET + END
    async with serving(handler, socket=proxied("127.0.0.1", proxy_protocol=True)) as (listener, _):
        received = await exchange(listener.port, data)

    assert received.startswith(b"HTTP/1.1 400 ")
    assert handler.requests == []


async def test_a_client_that_a_proxy_header_names_cannot_name_another() -> None:
    forged = b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"
    announcement = b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n"
    async with serving(Answering(who), socket=proxied("127.0.0.1", proxy_protocol=True)) as (listener, _):
        received = await exchange(listener.port, announcement + GET + forged + END)

    assert received.endswith(b"\r\n\r\n198.51.100.7 http")


async def test_a_client_behind_a_proxy_has_no_more_connections_than_others() -> None:
    announcement = b"PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\n"
    limits = Limits(connections_per_address=1)
    async with serving(Answering(who), socket=proxied("127.0.0.1", proxy_protocol=True), limits=limits) as made:
        listener, records = made
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(announcement + GET + b"\r\n")
        await reader.readuntil(b"198.51.100.7 http")
        refused = await exchange(listener.port, announcement + GET + END)
        other = await exchange(listener.port, b"PROXY TCP4 198.51.100.8 192.0.2.1 4711 443\r\n" + GET + END)
        writer.close()

    assert refused.startswith(b"HTTP/1.1 429 ")
    assert other.endswith(b"\r\n\r\n198.51.100.8 http")
    assert [(record.status, record.client) for record in records if record.status == 429] == [(429, "198.51.100.7")]


@pytest.mark.parametrize(
    ("values", "client"),
    [
        (["1.1.1.1"], "1.1.1.1"),
        (["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
        (["6.6.6.6", "1.1.1.1, 10.0.0.2"], "1.1.1.1"),
        (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (["1.1.1.1, unknown, 10.0.0.2"], "10.0.0.2"),
        (["[2001:db8::1]"], "2001:db8::1"),
        (["::ffff:1.1.1.1, ::ffff:10.0.0.2"], "1.1.1.1"),
        ([""], "10.0.0.1"),
        ([",,"], "10.0.0.1"),
        # Some proxies tell the port.
        (["6.6.6.6, 1.1.1.1:4711"], "1.1.1.1"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["1.1.1.1, 10.0.0.2:80"], "1.1.1.1"),
        (["1.1.1.1:port"], "10.0.0.1"),
        (["1.1.1.1:123456"], "10.0.0.1"),
        (["[1.1.1.1"], "10.0.0.1"),
        (["fe80::1%eth0"], "10.0.0.1"),
        (["fe80::1%\xe9"], "10.0.0.1"),
        (["01.1.1.1"], "10.0.0.1"),
        (["1.1.1"], "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_that_no_trusted_proxy_is(values: list[str], client: str) -> None:
    trusted = proxies.parse_networks(["10.0.0.0/8"], source="test")

    assert proxies.forwarded_client(values, Client("10.0.0.1"), trusted).ip == client


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "example.com", ""])
def test_what_is_not_a_network_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r'^trusted_proxies: ".*" is not an address or network;'):
        proxies.parse_networks([text], source="trusted_proxies")


V6 = bytes.fromhex("20010db8000000000000000000000001") + bytes(16) + b"\x12\x67\x01\xbb"


@pytest.mark.parametrize(
    ("data", "result"),
    [
        # https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.1
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET", proxies.ProxyHeader(Client("1.2.3.4", 1), b"GET")),
        (b"PROXY TCP6 ::1 ::2 1 2\r\n", proxies.ProxyHeader(Client("::1", 1), b"")),
        (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", proxies.ProxyHeader(None, b"")),
        (b"PROXY", proxies.NeedMoreData()),
        (b"PROXY TCP4 1.2.3.4", proxies.NeedMoreData()),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n", proxies.InvalidProxyHeader()),
        (b"PROXY TCP4 ::1 ::2 1 2\r\n", proxies.InvalidProxyHeader()),
        (b"PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n", proxies.InvalidProxyHeader()),
        (b"PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", proxies.InvalidProxyHeader()),
        (b"PROXY \xff\r\n", proxies.InvalidProxyHeader()),
        (b"PROXY TCP6 fe80::1%eth0 ::2 1 2\r\n", proxies.InvalidProxyHeader()),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\nGET / HTTP/1.1\r\n", proxies.InvalidProxyHeader()),
        (b"PROXY " + b"x" * 200, proxies.InvalidProxyHeader()),
        (b"GET / HTTP/1.1\r\n", proxies.InvalidProxyHeader()),
        # section 2.2
        (V2[:5], proxies.NeedMoreData()),
        (V2 + b"\x21\x21\x00\x24" + V6 + b"x", proxies.ProxyHeader(Client("2001:db8::1", 4711), b"x")),
        (V2 + b"\x21\x21\x00\x24" + V6[:-1], proxies.NeedMoreData()),
        (V2 + b"\x21\x21\x00\x0c" + V6[:12], proxies.InvalidProxyHeader()),
        # with TLVs (section 2.2.7), UNSPEC, LOCAL with an address that is not to be used
        (
            V2 + b"\x21\x11\x00\x12\x01\x02\x03\x04" + bytes(6) + b"\0\0\x05\0\x03abcGET",
            proxies.ProxyHeader(Client("1.2.3.4"), b"GET"),
        ),
        (V2 + b"\x21\x00\x00\x03abcGET", proxies.ProxyHeader(None, b"GET")),
        (V2 + b"\x20\x11\x00\x0c\x01\x02\x03\x04" + bytes(8) + b"GET", proxies.ProxyHeader(None, b"GET")),
        (V2 + b"\x21\x31\x00\x00rest", proxies.ProxyHeader(None, b"rest")),
        (V2 + b"\x31\x11\x00\x0c" + bytes(12), proxies.InvalidProxyHeader()),
        (V2 + b"\x22\x11\x00\x0c" + bytes(12), proxies.InvalidProxyHeader()),
        (V2 + b"\x21\x11\xff\xff", proxies.InvalidProxyHeader()),
    ],
)
def test_a_proxy_header_is_read(data: bytes, result: object) -> None:
    assert proxies.read_proxy_header(data) == result


@given(st.binary(max_size=64))
def test_no_bytes_break_the_reader_of_proxy_headers(data: bytes) -> None:
    for start in (b"", b"PROXY ", V2, V2 + b"\x21\x11\x00\x0c"):
        proxies.read_proxy_header(start + data)
