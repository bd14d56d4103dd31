"""Who is at the other end of a connection, for sockets of the edge and of the management plane alike."""

import asyncio
from typing import Final

import pytest

from edgeworker.admission import Refusal
from edgeworker.config import Limits
from edgeworker.messages import Client
from edgeworker.server import proxies
from edgeworker.server.listener_state import ListenerState
from edgeworker.server.peer import Peer

HEADER: Final = b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n"


class _Transport(asyncio.Transport):
    def __init__(self, ip: str) -> None:
        super().__init__({"peername": (ip, 1000)})
        self.is_aborted = False

    def abort(self) -> None:
        self.is_aborted = True


def _listener(*, most: int = 1, trusted: str = "10.0.0.0/8", proxy_protocol: bool = False) -> ListenerState:
    networks = proxies.parse_networks([trusted], source="x")
    return ListenerState(Limits(connections_per_address=most), networks, proxy_protocol=proxy_protocol)


def test_an_address_has_so_many_connections_until_one_ends() -> None:
    listener = _listener()
    first, second, third = Peer(listener), Peer(listener), Peer(listener)

    assert first.admit(_Transport("192.0.2.9")) is None
    refusal = second.admit(_Transport("192.0.2.9"))
    assert refusal is not None
    assert refusal.status == 429
    second.release()
    first.release()
    first.release()
    assert third.admit(_Transport("192.0.2.9")) is None


def test_a_proxy_has_as_many_connections_as_it_likes() -> None:
    listener = _listener()

    assert [Peer(listener).admit(_Transport("10.1.1.1")) for _ in range(3)] == [None, None, None]


def test_only_proxies_may_connect_where_a_proxy_header_is_asked_for() -> None:
    stranger, proxy = _Transport("192.0.2.9"), _Transport("10.1.1.1")

    assert Peer(_listener(proxy_protocol=True)).admit(stranger) is None
    assert Peer(_listener(proxy_protocol=True)).admit(proxy) is None

    assert (stranger.is_aborted, proxy.is_aborted) == (True, False)


@pytest.mark.parametrize("cut", range(1, len(HEADER)))
def test_a_proxy_header_may_come_in_pieces_and_its_client_is_not_trusted(cut: int) -> None:
    peer = Peer(_listener(proxy_protocol=True))
    peer.admit(_Transport("10.1.1.1"))
    assert (peer.trusted, peer.awaits_proxy_header, peer.has_begun_proxy_header) == (True, True, False)

    assert peer.read_proxy_header(HEADER[:cut]) == proxies.NeedMoreData()
    assert peer.has_begun_proxy_header
    assert peer.read_proxy_header(HEADER[cut:] + b"GET /") == b"GET /"

    assert peer.client == Client("192.0.2.1", 4711)
    assert (peer.trusted, peer.awaits_proxy_header, peer.has_begun_proxy_header) == (False, False, False)


def test_a_connection_behind_a_proxy_counts_for_the_client_that_the_header_names() -> None:
    """192.0.2.1 has two connections at most; the proxy, and clients that are proxies, have as many as they like."""
    listener = _listener(most=2, proxy_protocol=True)
    other, proxy = HEADER.replace(b"192.0.2.1 ", b"192.0.2.9 "), HEADER.replace(b"192.0.2.1 ", b"10.2.2.2 ")
    peers = [Peer(listener) for _ in range(9)]
    for peer in peers:
        peer.admit(_Transport("10.1.1.1"))
    first, second, third, stranger, *proxies_peers = peers

    assert [peer.read_proxy_header(HEADER) for peer in (first, second)] == [b"", b""]
    refused = third.read_proxy_header(HEADER)
    assert isinstance(refused, Refusal)
    assert (refused.status, third.client.ip) == (429, "192.0.2.1")
    assert stranger.read_proxy_header(other) == b""
    assert [peer.read_proxy_header(proxy) for peer in proxies_peers] == [b""] * 5
    for peer in peers:
        peer.release()
    assert Peer(listener).read_proxy_header(HEADER) == b""


def test_what_is_not_a_proxy_header_is_told() -> None:
    peer = Peer(_listener(proxy_protocol=True))

    assert peer.read_proxy_header(b"GET / HTTP/1.1\r\n") == proxies.InvalidProxyHeader()
    assert peer.awaits_proxy_header
