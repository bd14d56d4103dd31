"""Where libraries of scripts may connect to by themselves."""

import pytest

from edgeworker.edge.script_sockets import ScriptSockets
from edgeworker.server.outbound import OutboundPolicy


def _policy(*allowed: str) -> ScriptSockets:
    return ScriptSockets(OutboundPolicy.parse(allowed), {"example.com", "api.example.com"}.__contains__)


@pytest.mark.parametrize("host", ["example.com", "API.example.com", "example.com."])
def test_a_host_of_this_edge_is_not_reached_around_it(host: str) -> None:
    refusal = _policy("*").refuse_name(host)

    assert refusal is not None
    assert "use fetch()" in refusal


def test_any_other_name_may_be_looked_up() -> None:
    assert _policy().refuse_name("example.org") is None


@pytest.mark.parametrize(
    ("allowed", "host", "address", "refused"),
    [
        ((), "example.org", "93.184.216.34", False),
        ((), "example.org", "127.0.0.1", True),
        ((), "169.254.169.254", "169.254.169.254", True),
        ((), "::1", "::1", True),
        ((), "::ffff:10.0.0.1", "::ffff:10.0.0.1", True),
        ((), "fe80::1%eth0", "fe80::1%eth0", True),
        (("*",), "fe80::1%eth0", "fe80::1%eth0", True),
        (("10.0.0.0/8",), "db.internal", "10.0.0.5", False),
        (("db.internal",), "db.internal", "10.0.0.5", False),
        (("db.internal",), "10.0.0.5", "10.0.0.5", True),
    ],
)
def test_an_address_is_held_to_the_outbound_policy(
    allowed: tuple[str, ...], host: str, address: str, refused: bool
) -> None:
    refusal = _policy(*allowed).refuse_address(host, address)

    assert (refusal is not None) is refused
    if refusal is not None:
        assert f'add "{host}" to outbound.allow_private' in refusal


def test_extension_modules_with_sockets_need_leave() -> None:
    refusal = _policy("*").refuse_extension("grpc._cython.cygrpc")

    assert refusal is not None
    assert "outbound.allow_native_sockets = true" in refusal
    assert ScriptSockets(OutboundPolicy.parse(()), lambda _host: False, allow_native=True).refuse_extension("m") is None
