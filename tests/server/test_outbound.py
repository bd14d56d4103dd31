"""Which addresses scripts may reach (H20)."""

from ipaddress import ip_address

import pytest

from edgeworker.config import Outbound
from edgeworker.errors import ConfigError, OriginError
from edgeworker.messages import URL, Request
from edgeworker.server.outbound import OutboundPolicy, is_public
from tests.server.wires import OK, answering, client, origin


@pytest.mark.parametrize(
    ("address", "public"),
    [
        # https://www.iana.org/assignments/iana-ipv4-special-registry
        ("93.184.215.14", True),
        ("0.0.0.0", False),
        ("0.1.2.3", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("127.255.255.254", False),
        ("169.254.169.254", False),
        ("172.16.0.1", False),
        ("172.32.0.1", True),
        ("192.0.2.1", False),
        ("192.168.1.1", False),
        ("192.0.0.8", False),
        ("192.0.0.192", False),
        ("192.0.1.1", True),
        ("192.88.99.1", False),
        ("168.63.129.16", False),
        ("168.63.129.17", True),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        # https://www.iana.org/assignments/iana-ipv6-special-registry
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d70e", True),
        ("64:ff9b:1::1", False),
        ("2002:7f00:1::1", False),
        ("2002:a9fe:a9fe::1", False),
        ("2001:0:7f00:1::1", False),
        ("2001:db8::1", False),
        ("2001:4:112::1", False),
        ("2001:200::1", True),
        ("100::1", False),
        ("100:0:0:1::1", False),
        ("::ffff:0:7f00:1", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("fec0::1", False),
        ("fc00::1", False),
        ("fd12:3456::1", False),
        ("fe80::1", False),
        ("ff02::1", False),
    ],
)
def test_what_is_on_the_public_internet(address: str, public: bool) -> None:
    assert is_public(ip_address(address)) is public
    assert OutboundPolicy().allows("a.example", ip_address(address)) is public


@pytest.mark.parametrize(
    ("allowed", "host", "address", "result"),
    [
        (["*"], "a.example", "127.0.0.1", True),
        (["127.0.0.1"], "a.example", "127.0.0.1", True),
        (["127.0.0.1"], "a.example", "127.0.0.2", False),
        (["127.0.0.1"], "a.example", "::ffff:127.0.0.1", True),
        (["10.0.0.0/8"], "a.example", "10.9.8.7", True),
        (["[::1]"], "::1", "::1", True),
        (["API.internal."], "api.internal", "10.0.0.1", True),
        (["api.internal"], "API.INTERNAL.", "10.0.0.1", True),
        (["api.internal"], "x.api.internal", "10.0.0.1", False),
    ],
)
def test_what_is_allowed_besides(allowed: list[str], host: str, address: str, result: bool) -> None:
    assert OutboundPolicy.parse(allowed).allows(host, ip_address(address)) is result


@pytest.mark.parametrize(
    "text", ["", "10.0.0.0/33", "10.0.0.1/8", "256.1.1.1", "http://a.example", "a..b", "*.a.example"]
)
def test_an_entry_that_means_nothing_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^outbound\.allow_private: "):
        OutboundPolicy.parse([text])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "0",
        "127.0.0.1.",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
    ],
)
async def test_h20_a_script_does_not_reach_this_machine(host: str) -> None:
    async with origin(answering(OK)) as server, client(Outbound()) as internet:
        with pytest.raises(OriginError, match=r"not on the public internet; if scripts may fetch it, add ") as caught:
            await internet.internet.fetch(Request("GET", URL.parse(f"http://{host}:{server.port}/")))

        assert caught.value.status == 403
        assert server.connections == 0


async def test_h20_a_connection_to_an_origin_does_not_serve_a_script() -> None:
    async with origin(answering(OK, OK)) as server, client(Outbound()) as internet:
        request = Request("GET", URL.parse(server.url))
        assert (await internet.at(server.url).fetch(request)).status == 200

        with pytest.raises(OriginError, match="not on the public internet"):
            await internet.internet.fetch(request)


async def test_a_private_address_that_is_listed_can_be_fetched() -> None:
    async with origin(answering(OK)) as server, client(Outbound(allow_private=("localhost",))) as internet:
        response = await internet.internet.fetch(Request("GET", URL.parse(f"http://localhost:{server.port}/")))

    assert response.status == 200
