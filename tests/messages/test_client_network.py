import pytest

from edgeworker.messages.client_network import client_network


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::2", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_one_client_is_one_network(ip: str, network: str) -> None:
    assert client_network(ip) == network
