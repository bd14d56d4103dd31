"""Where an edge listens, and whom it trusts there."""

from dataclasses import replace

import pytest

from edgeworker.cli.production.sockets import audit_sockets
from edgeworker.config import Config, Socket

BARE = Config()


def rules(config: Config) -> list[str]:
    return [finding.rule for finding in audit_sockets(config, error_details=True)]


def test_a_proxy_on_this_machine_has_to_be_named() -> None:
    with_details, without = (next(audit_sockets(BARE, error_details=shown)) for shown in (True, False))

    assert with_details.rule == without.rule == "unnamed-proxy"
    assert with_details.severity == "warning"
    assert "127.0.0.1:8787" in with_details.what
    assert "tracebacks" in with_details.why
    assert "tracebacks" not in without.why


@pytest.mark.parametrize(
    "config",
    [
        replace(BARE, edge_socket=Socket(trusted_proxies=("127.0.0.1",))),
        replace(BARE, edge_socket=Socket(proxy_protocol=True, trusted_proxies=("127.0.0.1",))),
        replace(BARE, https_socket=Socket("0.0.0.0", 443)),
    ],
    ids=["named", "proxy protocol", "https for all"],
)
def test_where_clients_are_known_nothing_is_said(config: Config) -> None:
    assert "unnamed-proxy" not in rules(config)
