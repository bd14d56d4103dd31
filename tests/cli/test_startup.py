import io
from pathlib import Path

from edgeworker.bindings import JSONBinding, KVBinding, SecretBinding, ServiceBinding, TextBinding, UnsupportedBinding
from edgeworker.cli import startup
from edgeworker.cli.output import Output
from edgeworker.config import Config, Namespace, Outbound, Route, Worker, Zone

CONFIG = Config(
    workers=(
        Worker(
            "api",
            Path("/w.py"),
            (
                KVBinding("TOKENS", "5ad0a7"),
                TextBinding("REALM", "orders"),
                JSONBinding("LIMITS", {"a": 1}),
                SecretBinding("KEY", "hunter2"),
                ServiceBinding("AUTH", "auth", "Admin"),
                UnsupportedBinding("BUCKET", "R2 Bucket"),
            ),
            workers_dev=True,
        ),
        Worker("bare", Path("/v.py")),
    ),
    zones=(
        Zone("example.com", "z1", origin="http://127.0.0.1:3000", origins={"api.example.com": "http://127.0.0.1:4000"}),
    ),
    routes=(Route("example.com/*", "api", zone="example.com"), Route("example.com/raw/*", None, zone="example.com")),
    namespaces=(Namespace("5ad0a7", "tokens"),),
    default_worker="api",
    account_id="acc",
)


def _shown() -> str:
    stream = io.StringIO()
    startup.show(
        Output.for_stream(stream),
        CONFIG,
        edge_url="http://127.0.0.1:1",
        api_url="http://127.0.0.1:2",
        token_place="place",
    )
    return stream.getvalue()


def test_everything_that_is_served_is_named() -> None:
    shown = _shown()

    for text in (
        "http://127.0.0.1:1",
        "localhost: worker api",
        "http://127.0.0.1:2/client/v4",
        "token: place",
        "http://127.0.0.1:4000",
        "example.com/raw/*",
        "(none: to the origin)",
        "api.local.workers.dev",
        "env.TOKENS",
        "5ad0a7",
        '"orders"',
        "auth#Admin",
        "not emulated",
        "(no bindings)",
        "acc",
    ):
        assert text in shown


def test_a_secret_is_masked() -> None:
    assert "hunter2" not in _shown()
    assert '"(hidden)"' in _shown()


def test_proxies_are_shown_without_their_passwords() -> None:
    outbound = Outbound(https_proxy="http://me:hunter2@proxy.example:3128", no_proxy="b.example")

    assert startup.proxy_rows(Config(outbound=outbound)) == [
        ["https", "http://proxy.example:3128", "but for b.example"]
    ]
    assert startup.proxy_rows(Config()) == []
