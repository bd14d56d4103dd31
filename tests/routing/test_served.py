"""The names under which an edge is called."""

from pathlib import Path

import pytest

from edgeworker.config import Config, CustomDomain, Route, Socket, Worker, Zone
from edgeworker.routing import ServedHosts, served_names

ALWAYS = ("localhost", "*.localhost", "127.0.0.1", "::1")


@pytest.mark.parametrize(
    ("config", "names"),
    [
        (Config(), ()),
        (Config(zones=(Zone("Example.com", "z"),)), ("example.com", "*.example.com")),
        (
            Config(zones=(Zone("example.com", "z", origins={"*.eu.example.com": "http://x", "a.b.example.com": "y"}),)),
            ("example.com", "*.example.com", "*.eu.example.com", "a.b.example.com"),
        ),
        (Config(routes=(Route("api.example.com/v1/*", "w"),)), ("api.example.com",)),
        (Config(routes=(Route("*.example.com/*", "w"),)), ("*.example.com",)),
        (Config(routes=(Route("*example.com/*", "w"),)), ("example.com", "*.example.com")),
        (Config(routes=(Route("*/*", "w"),)), ()),
        (Config(routes=(Route("bücher.example/*", "w"),)), ("xn--bcher-kva.example",)),
        (Config(custom_domains=(CustomDomain("Shop.example.com", "w"),)), ("shop.example.com",)),
        (Config(workers=(Worker("hello", Path("/w.py"), workers_dev=True),)), ("hello.local.workers.dev",)),
        (Config(workers=(Worker("hello", Path("/w.py")),)), ()),
        (Config(edge_socket=Socket("0.0.0.0"), https_socket=Socket("192.168.0.7")), ("192.168.0.7",)),
        (Config(https_socket=Socket("fd00::7")), ("fd00::7",)),
        (Config(https_socket=Socket("fe80::1%eth0")), ()),
        (Config(api_hosts=("edge.test",)), ("edge.test",)),
    ],
)
def test_every_configured_host_has_its_name(config: Config, names: tuple[str, ...]) -> None:
    assert served_names(config) == (*ALWAYS, *names)


@pytest.mark.parametrize(
    ("config", "host", "served"),
    [
        (Config(), "localhost", True),
        (Config(), "a.b.localhost", True),
        (Config(), "notlocalhost", False),
        (Config(), "192.168.0.7", True),
        (Config(), "[::1]", True),
        (Config(), "evil.example", False),
        (Config(zones=(Zone("example.com", "z"),)), "a.b.example.com", True),
        (Config(zones=(Zone("example.com", "z"),)), "badexample.com", False),
        (Config(routes=(Route("api.example.com/v1/*", "w"),)), "api.example.com", True),
        (Config(routes=(Route("api.example.com/v1/*", "w"),)), "x.api.example.com", False),
        (Config(routes=(Route("*.example.com/*", "w"),)), "a.b.example.com", True),
        (Config(routes=(Route("*.example.com/*", "w"),)), "example.com", False),
        (Config(routes=(Route("*/*", "w"),)), "anything.example", True),
        (Config(custom_domains=(CustomDomain("shop.example.com", "w"),)), "shop.example.com", True),
        (Config(origin="http://127.0.0.1:1"), "anything.example", True),
        (Config(default_on_every_host=True), "anything.example", True),
    ],
)
def test_a_host_is_served_where_something_takes_it(config: Config, host: str, served: bool) -> None:
    assert (host in ServedHosts(config)) is served
