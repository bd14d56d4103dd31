import pytest

from edgeworker.config import Config, Socket
from edgeworker.messages import URL
from edgeworker.routing.developer_hosts import below_localhost, is_developer_host, name_below_localhost

DEVELOPING = Config(trigger_urls=True, edge_socket=Socket("devbox.lan"), https_socket=Socket("tls.lan"))


@pytest.mark.parametrize(
    ("host", "served", "developing"),
    [
        ("localhost", True, True),
        ("a.localhost", True, True),
        ("127.0.0.1", True, True),
        ("192.168.1.20", False, True),
        ("[fd00::1]", False, True),
        ("edge", False, True),
        ("host.docker.internal", False, True),
        ("devbox.lan", False, True),
        ("tls.lan", False, True),
        ("example.com", False, False),
        ("other.lan", False, False),
    ],
)
def test_names_of_this_machine_are_a_developers(host: str, served: bool, developing: bool) -> None:
    assert is_developer_host(host, Config()) is served
    assert is_developer_host(host, DEVELOPING) is developing


@pytest.mark.parametrize(
    ("url", "real"),
    [
        ("http://www.example.com.localhost:8787/x?y", "http://www.example.com/x?y"),
        ("https://api.example.com.localhost:8443/", "https://api.example.com/"),
        ("http://api.localhost:8787/", None),
        ("http://localhost/", None),
        ("http://example.com/", None),
    ],
)
def test_a_real_name_below_localhost_is_read(url: str, real: str | None) -> None:
    found = name_below_localhost(URL.parse(url))

    assert (None if found is None else str(found)) == real


def test_what_a_browser_can_open_is_made_of_a_name() -> None:
    assert [below_localhost(host) for host in ("a.example", "a.localhost", "10.0.0.1")] == [
        "a.example.localhost",
        "a.localhost",
        "10.0.0.1",
    ]
