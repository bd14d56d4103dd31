"""What an operator would regret about a configuration: one row each, and what is good says nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from edgeworker.bindings import JSONBinding, SecretBinding, TextBinding
from edgeworker.cli.production.finding import Finding
from edgeworker.cli.production.settings import Run, audit_settings
from edgeworker.cli.production.sockets import is_loopback
from edgeworker.config import CF, Config, KVSettings, Limits, OriginTLS, Outbound, Socket, Worker, Zone

GOOD = Config(kv=KVSettings(durability="full"), edge_socket=Socket(trusted_proxies=("127.0.0.1",)))
RUN = Run()
VERIFYING = (
    TextBinding("JWKS_URL", "https://id.example/jwks"),
    TextBinding("ISSUER", "https://id.example"),
    TextBinding("AUDIENCE", "orders"),
)
STRONG = "9f8Kq2LmXw7Rb4Tz1VcY6n"


def gateway(*bindings: TextBinding | JSONBinding | SecretBinding) -> Config:
    return replace(GOOD, workers=(Worker("gate", Path("/w.py"), bindings, is_default_script=True),))


def audited(config: Config, run: Run = RUN) -> list[tuple[str, str]]:
    return [(finding.severity, finding.rule) for finding in audit_settings(config, run)]


def test_a_good_configuration_is_not_regretted() -> None:
    zone = Zone("a.example", "z", "https://10.0.0.1", {"b.a.example": "http://127.0.0.1:3000"})
    workers = (Worker("gate", Path("/w.py"), VERIFYING, is_default_script=True), Worker("own", Path("/o.py")))
    config = replace(
        GOOD,
        zones=(zone,),
        workers=workers,
        origin="http://localhost:3000",
        https_socket=Socket("0.0.0.0", 443),
        outbound=Outbound(("10.1.2.3", "api.internal", "192.168.0.0/16")),
    )

    assert audited(config, Run(api_token=STRONG, api_token_place="$TOKEN")) == []


@pytest.mark.parametrize(
    ("config", "found"),
    [
        (replace(GOOD, api_socket=Socket("0.0.0.0", 8788)), ("error", "open-api")),
        (replace(GOOD, zones=(Zone("a.example", "z"),), default_on_every_host=True), ("warning", "no-worker")),
        (replace(GOOD, api_socket=Socket("192.168.0.7", 8788)), ("error", "open-api")),
        (replace(GOOD, api_https_socket=Socket("0.0.0.0", 443)), ("warning", "open-api")),
        (replace(GOOD, edge_socket=Socket("0.0.0.0", 80)), ("warning", "plain-http")),
        (replace(GOOD, edge_socket=Socket(trusted_proxies=("0.0.0.0/0",))), ("error", "trusts-everyone")),
        (replace(GOOD, edge_socket=Socket(trusted_proxies=("::/0",))), ("error", "trusts-everyone")),
        (replace(GOOD, origin="http://origin.example"), ("error", "http-origin")),
        (replace(GOOD, origin="http://203.0.113.7:3000"), ("warning", "http-origin")),
        (replace(GOOD, origin="http://10.0.0.1"), ("warning", "http-origin")),
        (replace(GOOD, origin="http://orders:3000"), ("warning", "http-origin")),
        (replace(GOOD, zones=(Zone("a.example", "z", "http://8.8.8.8"),)), ("error", "http-origin")),
        (
            replace(GOOD, zones=(Zone("a.example", "z", origins={"b.a.example": "http://8.8.8.8"}),)),
            ("error", "http-origin"),
        ),
        (
            replace(GOOD, origin="https://o.example", origin_tls=OriginTLS(verify=False)),
            ("error", "unverified-origin"),
        ),
        (
            replace(GOOD, zones=(Zone("a.example", "z", "https://o.example", origin_tls=OriginTLS(verify=False)),)),
            ("error", "unverified-origin"),
        ),
        (replace(GOOD, management_socket=Socket("0.0.0.0", 9787)), ("warning", "open-management")),
        (replace(GOOD, normalize_to_origin=False), ("warning", "raw-paths")),
        (replace(GOOD, zones=(Zone("a.example", "z", normalize_to_origin=False),)), ("warning", "raw-paths")),
        (replace(GOOD, outbound=Outbound(http_proxy="http://p.example")), ("warning", "outbound-proxy")),
        (replace(GOOD, outbound=Outbound(https_proxy="http://p.example")), ("warning", "outbound-proxy")),
        (replace(GOOD, outbound=Outbound(("*",))), ("error", "private-addresses")),
        (replace(GOOD, outbound=Outbound(allow_native_sockets=True)), ("warning", "native-sockets")),
        (replace(GOOD, outbound=Outbound(("0.0.0.0/0",))), ("error", "private-addresses")),
        (replace(GOOD, outbound=Outbound(("169.254.0.0/16",))), ("error", "private-addresses")),
        (replace(GOOD, outbound=Outbound(("169.254.169.254",))), ("error", "private-addresses")),
        (replace(GOOD, outbound=Outbound(response_timeout_seconds=3600)), ("warning", "no-limit")),
        (replace(GOOD, limits=Limits(header_timeout_seconds=3600)), ("warning", "no-limit")),
        (replace(GOOD, limits=Limits(connections_per_address=1_000_000)), ("warning", "no-limit")),
        (replace(GOOD, limits=Limits(body_bytes_per_second=1)), ("warning", "no-limit")),
        (replace(GOOD, kv=KVSettings(durability="normal")), ("warning", "durability")),
        (replace(GOOD, kv=KVSettings(durability="full", consistency="eventual")), ("warning", "eventual")),
        (replace(GOOD, cf=CF(override_header="x-cf")), ("error", "cf-override")),
        (gateway(), ("warning", "unverified-tokens")),
        (gateway(*VERIFYING[:2]), ("error", "unverified-tokens")),
        (gateway(VERIFYING[0], VERIFYING[2]), ("error", "unverified-tokens")),
        (gateway(*VERIFYING[:2], TextBinding("AUDIENCE", "")), ("error", "unverified-tokens")),
        (gateway(*VERIFYING, TextBinding("CORS_ORIGINS", "https://a.example, *")), ("warning", "cors")),
        (gateway(*VERIFYING, JSONBinding("PUBLIC_PATHS", ["/health", "GET /*"])), ("error", "public-paths")),
    ],
)
def test_what_would_be_regretted_is_found(config: Config, found: tuple[str, str]) -> None:
    assert audited(config) == [found]


@pytest.mark.parametrize(
    ("run", "found"),
    [
        (Run(api_token=STRONG, api_token_place="--api-token"), [("warning", "token-on-command-line")]),
        (Run(api_token="secret", api_token_place="$T"), [("error", "weak-token")]),
        (Run(api_token=STRONG[:-1], api_token_place="$T"), [("error", "weak-token")]),
        (Run(api_token="abcabcabc" * 10, api_token_place="$T"), [("error", "weak-token")]),
        (Run(trace=True), [("warning", "trace")]),
        (Run(is_root=True), [("warning", "root")]),
    ],
)
def test_how_it_is_run_is_looked_at_too(run: Run, found: list[tuple[str, str]]) -> None:
    assert audited(GOOD, run) == found


def test_every_finding_says_where_what_why_and_what_is_right_and_no_token() -> None:
    config = replace(GOOD, api_socket=Socket("0.0.0.0"), workers=gateway().workers)
    findings: list[Finding] = list(audit_settings(config, Run(api_token="hunter2", api_token_place="--api-token")))

    assert len(findings) == 4
    for finding in findings:
        assert all((finding.where, finding.what, finding.why, finding.right))
        assert "hunter2" not in repr(finding)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("a.localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
