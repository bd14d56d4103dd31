"""What an edge would not start with, besides its scripts."""

from pathlib import Path

import pytest

from edgeworker.config import TLS, Certificate, Config, OriginTLS, Outbound, Route, Socket, Worker, Zone
from edgeworker.host.dry_edge import find_edge_errors
from tests.kv.clocks import FakeClock

GONE = Path("/nosuch/file.pem")
WORKER = Worker("w", Path("/w.py"))


async def errors(config: Config, environ: dict[str, str] | None = None) -> list[str]:
    return await find_edge_errors(config, FakeClock(), environ or {})


async def test_a_good_edge_has_no_errors() -> None:
    assert await errors(Config(workers=(WORKER,), default_worker="w", origin="https://10.0.0.1")) == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (Config(outbound=Outbound(("not a host!",))), 'outbound.allow_private: "not a host!"'),
        (Config(outbound=Outbound(ca_file=GONE)), f"outbound.ca_file: {GONE} cannot be read"),
        (
            Config(zones=(Zone("a.test", "z", "https://10.0.0.1", origin_tls=OriginTLS(ca_file=GONE)),)),
            f'origin "https://10.0.0.1": origin_ca: {GONE} cannot be read',
        ),
        (
            Config(origin="https://10.0.0.2", origin_tls=OriginTLS(client_cert=GONE, client_key=GONE)),
            f'origin "https://10.0.0.2": origin_client_cert: {GONE} cannot be read',
        ),
        (Config(tls=TLS((Certificate(GONE, GONE, source="tls"),))), f"tls: {GONE} cannot be read"),
        (Config(tls=TLS(client_ca=GONE)), f"tls.client_ca: {GONE} cannot be read"),
        (
            Config(edge_socket=Socket(port=81), api_socket=Socket(port=81)),
            "sockets.edge and sockets.api have the same address 127.0.0.1:81",
        ),
        (
            Config(edge_socket=Socket(trusted_proxies=("10.0.0.0/99",))),
            'trusted_proxies of sockets.edge: "10.0.0.0/99"',
        ),
        (Config(https_socket=Socket(port=1, proxy_protocol=True)), "a https socket cannot speak the PROXY protocol"),
        (
            Config(
                workers=(WORKER, Worker("v", Path("/v.py"))), routes=(Route("a.test/*", "w"), Route("a.test/*", "v"))
            ),
            "a.test/*",
        ),
    ],
    ids=range(10),
)
async def test_each_mistake_is_told(config: Config, said: str) -> None:
    found = await errors(config)

    assert len(found) == 1
    assert said in found[0]


async def test_a_proxy_of_the_environment_is_looked_at() -> None:
    assert "socks" in (await errors(Config(), {"HTTPS_PROXY": "socks5://p.example:1"}))[0]


async def test_all_mistakes_are_told_together() -> None:
    config = Config(
        outbound=Outbound(("not a host!",), ca_file=GONE),
        tls=TLS((Certificate(GONE, GONE, source="one"), Certificate(GONE, GONE, source="two")), client_ca=GONE),
    )

    assert len(await errors(config)) == 5
