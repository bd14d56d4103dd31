import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

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


def _shown(
    config: Config = CONFIG, *, verbose: bool = True, styled: bool = False, urls: Mapping[str, str] = URLS
) -> str:
    stream = io.StringIO()
    out = Output(stream, styled=False, wraps=styled)
    startup.show(out, config, urls=urls, token_place="place", verbose=verbose, lines_after=3)
    return stream.getvalue()


def test_everything_that_is_served_is_named() -> None:
    shown = _shown()

    for text in (
        "http://example.com.localhost:1/ ",
        "https://example.com.localhost:3/ ",
        "http://localhost:1/",
        "https://localhost:3/",
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


def test_secret_files_are_told_by_their_paths_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = (tmp_path / "a" / ".dev.vars", tmp_path / "b" / ".env.local", tmp_path / ".dev.vars", Path("/other/.env"))

    shown = _shown(replace(CONFIG, files=(tmp_path / "a" / "wrangler.toml", *files)), verbose=False)

    assert "Using secrets of a/.dev.vars, b/.env.local, .dev.vars, .env\n" in shown


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
    assert "https://auth.example.com.localhost:3/" in _shown(config, verbose=False)
    assert _shown(config, verbose=False).count("\n") + 3 <= 24
    assert _shown(more, verbose=False).count("\n") + 3 <= 24
    assert "acc" not in _shown(config, verbose=False)
    assert "5ad0a7" not in _shown(config, verbose=False)
    assert "acc" in _shown(config)
    assert "5ad0a7" in _shown(config)


def test_each_host_has_one_line() -> None:
    shown = _shown(verbose=False)

    assert sum("example.com.localhost" in line for line in shown.splitlines()) == 1
    assert sum("//localhost" in line for line in shown.splitlines()) == 1
    plain = _shown(verbose=False, urls={"url": "http://127.0.0.1:1"})
    assert "http://example.com.localhost:1/ " in plain
    assert "https:" not in plain


def test_bindings_that_would_not_fit_are_named_in_a_line_for_each_worker() -> None:
    bindings = tuple(TextBinding(f"TEXT_{number}", "x") for number in range(15))
    many = replace(CONFIG, workers=(Worker("api", Path("/w.py"), (KVBinding("TOKENS", "5ad0a7"), *bindings)),))

    shown = _shown(many, verbose=False)

    assert f"env: TOKENS (KV Namespace); {', '.join(binding.name for binding in bindings)} (Environment" in shown
    assert all(f"env.{binding.name} " in _shown(many) for binding in bindings)


@pytest.mark.parametrize(("workers", "is_whole"), [(1, True), (3, True), (6, False)])
def test_the_bindings_of_a_worker_take_two_lines_where_the_terminal_has_room(
    workers: int, is_whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    bindings = (KVBinding("TOKENS", "5ad0a7"), *(TextBinding(f"TEXT_{number}", "x") for number in range(18)))
    many = tuple(Worker(f"worker-{number}", Path("/w.py"), bindings) for number in range(workers))
    config = replace(CONFIG, workers=many, routes=(), custom_domains=(), default_worker=None)

    shown = _shown(config, verbose=False, styled=True)

    assert shown.count("TEXT_17 (Environment") == (workers if is_whole else 0)
    assert ("…" in shown) is not is_whole
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert shown.count("\n") <= 24


@pytest.mark.parametrize("columns", [80, 120])
def test_a_long_value_is_cut_where_the_terminal_ends(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    long = replace(
        CONFIG,
        default_worker=None,
        workers=(Worker("a" * 20, Path("/w.py"), (TextBinding("ISSUER", "https://" + "x" * 200),)),),
    )

    assert all(len(line) <= columns for line in _shown(long, verbose=False, styled=True).splitlines())


def test_a_pattern_that_no_single_link_stands_for_is_shown_as_it_is() -> None:
    routes = (Route("*.example.com/api/*", "api"), Route("*/*", "api"), Route("https://a.test/x", "api"))

    rows = startup.link_rows(replace(CONFIG, routes=routes), {"url": "http://127.0.0.1:1"})

    assert [row[0] for row in rows[:3]] == ["*.example.com/api/", "*/", "http://a.test.localhost:1/x"]


@pytest.mark.parametrize(("columns", "links"), [(80, 1), (130, 2)])
def test_where_both_links_do_not_fit_there_is_that_of_https(
    columns: int, links: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    long = replace(CONFIG, routes=(Route("a-long-name.example.com/*", "api"),))

    shown = _shown(long, verbose=False, styled=True)

    line = next(line for line in shown.splitlines() if "a-long-name" in line)
    assert line.count("//a-long-name.example.com.localhost:") == links
    assert "https://a-long-name.example.com.localhost:3/" in line
    assert ("http://127.0.0.1:1 " in shown) is (links == 1)
