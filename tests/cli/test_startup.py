import io
from dataclasses import replace
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


URLS = {"url": "http://127.0.0.1:1", "api_url": "http://127.0.0.1:2", "https_url": "https://127.0.0.1:3"}


def _shown(config: Config = CONFIG, *, verbose: bool = True) -> str:
    stream = io.StringIO()
    startup.show(Output.for_stream(stream), config, urls=URLS, token_place="place", verbose=verbose)
    return stream.getvalue()


def test_everything_that_is_served_is_named() -> None:
    shown = _shown()

    for text in (
        "http://example.com.localhost:1/ ",
        "https://example.com.localhost:3/ ",
        "http://localhost:1/",
        "api (default)",
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


def test_three_workers_fit_on_a_terminal_and_ids_are_for_verbose() -> None:
    workers = tuple(
        Worker(
            name,
            Path(f"/{name}.py"),
            (KVBinding("TOKENS", "5ad0a7"), TextBinding("REALM", "orders"), SecretBinding("KEY", "hunter2")),
        )
        for name in ("gateway", "auth", "token")
    )
    routes = tuple(Route(f"{worker.name}.example.com/*", worker.name) for worker in workers)
    config = replace(CONFIG, workers=workers, routes=routes, default_worker="gateway", files=(Path("/p/.dev.vars"),))
    more = replace(config, workers=tuple(replace(one, bindings=one.bindings * 3) for one in workers))

    assert "Using secrets of .dev.vars" in _shown(config, verbose=False)
    assert "http://auth.example.com.localhost:1/" in _shown(config, verbose=False)
    assert _shown(config, verbose=False).count("\n") <= 24
    assert _shown(more, verbose=False).count("\n") <= 24
    assert "acc" not in _shown(config, verbose=False)
    assert "acc" in _shown(config)


def test_a_pattern_that_no_single_link_stands_for_is_shown_as_it_is() -> None:
    routes = (Route("*.example.com/api/*", "api"), Route("*/*", "api"), Route("https://a.test/x", "api"))

    rows = startup.link_rows(replace(CONFIG, routes=routes), {"url": "http://127.0.0.1:1"})

    assert [row[0] for row in rows[:3]] == ["*.example.com/api/", "*/", "http://a.test.localhost:1/x"]
