import argparse
import io
import json
from pathlib import Path

import pytest

from edgeworker.cli import main, routes
from edgeworker.cli.output import Output
from edgeworker.config import Config, CustomDomain, Route, Worker, Zone
from edgeworker.messages import URL
from edgeworker.routing import Resolver

CONFIG = Config(
    workers=(Worker("site", Path("/w.py"), workers_dev=True), Worker("app", Path("/v.py"))),
    routes=(
        Route("example.com/*", "site", zone="example.com", source="w.toml:3 (routes[0])"),
        Route("example.com/a*", "app", zone="example.com", source="v.toml:1 (route)"),
        Route("example.com/raw", None, zone="example.com", source="v.toml:2 (route)"),
        Route("other.test/*", "app", zone="other.test"),
    ),
    custom_domains=(CustomDomain("app.test", "app", source="v.toml:9 (routes[1])"),),
    zones=(Zone("example.com", "z1", origin="http://127.0.0.1:3000"), Zone("other.test", "z2")),
    default_worker="site",
)


def _table(config: Config) -> str:
    stream = io.StringIO()
    routes.show_table(Output.for_stream(stream), config, Resolver(config))
    return stream.getvalue()


def _explained(url: str, config: Config = CONFIG) -> str:
    stream = io.StringIO()
    routes.show_explanation(Output.for_stream(stream), Resolver(config).explain(URL.parse(url)))
    return stream.getvalue()


def test_the_table_has_every_route_the_winner_first_and_what_comes_behind() -> None:
    assert _table(CONFIG) == (
        "  route, the winner first  worker                 zone         written in\n"
        "  example.com/raw          (none: to the origin)  example.com  v.toml:2 (route)\n"
        "  example.com/a*           app                    example.com  v.toml:1 (route)\n"
        "  example.com/*            site                   example.com  w.toml:3 (routes[0])\n"
        "  other.test/*             app                    other.test\n"
        "\n"
        "What no route takes goes, in this order, to:\n"
        "                  host                    answered by\n"
        "  custom domain   app.test                worker app\n"
        "  workers.dev     site.local.workers.dev  worker site\n"
        "  default worker  localhost, *.localhost  worker site\n"
        "  origin          example.com             http://127.0.0.1:3000\n"
        "  origin          other.test              (none)\n"
        "  origin          (every other host)      (none: an error page)\n"
    )


def test_a_table_without_routes_says_so() -> None:
    config = Config(workers=CONFIG.workers, default_worker="app", default_on_every_host=True, origin="http://o")

    table = _table(config)

    assert table.startswith("There are no routes.\n")
    assert "default worker  every host" in table
    assert "(every other host)      http://o" in table


def test_an_explanation_tells_why_each_route_won_or_lost() -> None:
    assert _explained("http://example.com/abc?x=1") == (
        "http://example.com/abc?x=1  →  worker app (by route)\n"
        "\n"
        "  route            worker  specificity  for this URL\n"
        "  example.com/raw  (none)  54           does not match: the path\n"
        "  example.com/a*   app     54           wins\n"
        "  example.com/*    site    52           matches, but loses to example.com/a*\n"
        "not asked, of other zones: other.test/* (zone other.test)\n"
        "\n"
        '  1. zone: "example.com" belongs to zone "example.com"\n'
        '  2. routes: "example.com/a*" wins and runs worker "app"\n'
    )


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://example.com/raw?x", "does not match: the query (a path without * at its end matches none)"),
        (
            "http://example.com/raw",
            '→  origin http://127.0.0.1:3000 (route "example.com/raw" runs no worker)',
        ),
        ("http://app.test/", "→  worker app (by custom domain)"),
        ("http://app.test/", "No route was asked."),
        ("http://localhost/", "→  worker site (by default worker)"),
        (
            "http://nowhere.test/",
            "→  an error page: no origin is configured (no route matches, and the host belongs to no zone)",
        ),
    ],
)
def test_an_explanation_tells_where_the_url_goes(url: str, says: str) -> None:
    assert says in _explained(url)


def test_a_table_as_json_has_the_same() -> None:
    table = routes.table_as_json(CONFIG, Resolver(CONFIG))

    assert json.loads(json.dumps(table)) == {
        "routes": [
            {"pattern": pattern, "worker": worker, "zone": zone, "source": source, "specificity": specificity}
            for pattern, worker, zone, source, specificity in [
                ("example.com/raw", None, "example.com", "v.toml:2 (route)", 54),
                ("example.com/a*", "app", "example.com", "v.toml:1 (route)", 54),
                ("example.com/*", "site", "example.com", "w.toml:3 (routes[0])", 52),
                ("other.test/*", "app", "other.test", "", 52),
            ]
        ],
        "custom_domains": [{"hostname": "app.test", "worker": "app", "zone": None, "source": "v.toml:9 (routes[1])"}],
        "workers_dev": [{"hostname": "site.local.workers.dev", "worker": "site"}],
        "default_worker": "site",
        "default_on_every_host": False,
        "zones": [
            {"name": "example.com", "id": "z1", "origin": "http://127.0.0.1:3000", "origins": {}, "load_balancers": {}},
            {"name": "other.test", "id": "z2", "origin": None, "origins": {}, "load_balancers": {}},
        ],
        "origin": None,
        "javascript": [],
    }


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        (
            "http://example.com/abc",
            {"kind": "worker", "worker": "app", "by": "route", "zone": "example.com", "route": "example.com/a*"},
        ),
        (
            "http://example.com/raw",
            {
                "kind": "origin",
                "origin": "http://127.0.0.1:3000",
                "why": 'route "example.com/raw" runs no worker',
                "zone": "example.com",
                "route": "example.com/raw",
            },
        ),
        ("http://app.test/", {"kind": "worker", "worker": "app", "by": "custom domain", "zone": None, "route": None}),
    ],
)
def test_an_explanation_as_json_has_the_answer(url: str, answer: dict[str, str | None]) -> None:
    explained = routes.explanation_as_json(Resolver(CONFIG).explain(URL.parse(url)))

    assert explained["url"] == url
    assert explained["answer"] == answer


def test_an_explanation_as_json_has_each_route_and_step() -> None:
    explained = routes.explanation_as_json(Resolver(CONFIG).explain(URL.parse("http://example.com/abc")))

    place = {"zone": "example.com"}
    assert explained["routes"] == [
        {
            **place,
            "pattern": "example.com/raw",
            "worker": None,
            "source": "v.toml:2 (route)",
            "specificity": 54,
            "outcome": "no match",
            "because": "path",
        },
        {
            **place,
            "pattern": "example.com/a*",
            "worker": "app",
            "source": "v.toml:1 (route)",
            "specificity": 54,
            "outcome": "won",
        },
        {
            **place,
            "pattern": "example.com/*",
            "worker": "site",
            "source": "w.toml:3 (routes[0])",
            "specificity": 52,
            "outcome": "lost",
            "lost_to": "example.com/a*",
        },
    ]
    assert explained["not_asked"] == [{"pattern": "other.test/*", "worker": "app", "zone": "other.test", "source": ""}]
    assert explained["steps"] == [
        {"place": "zone", "found": '"example.com" belongs to zone "example.com"'},
        {"place": "routes", "found": '"example.com/a*" wins and runs worker "app"'},
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text("")
    (tmp_path / "wrangler.toml").write_text(
        'name = "site"\nmain = "worker.py"\ncompatibility_date = "2026-01-01"\n'
        'compatibility_flags = ["python_workers"]\nroutes = ["example.com/*", "example.com/api"]\n'
    )
    return tmp_path


def _run(folder: Path, *arguments: str) -> int:
    with pytest.raises(SystemExit) as exited:
        main(["routes", "--config", str(folder / "wrangler.toml"), *arguments])
    assert isinstance(exited.value.code, int)
    return exited.value.code


def test_the_command_reads_the_workers_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(folder) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["example.com/api", "example.com/*"]


def test_the_command_explains_a_url_without_a_scheme_as_http(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(folder, "example.com/api?x=1", "--json") == 0

    explained = json.loads(capsys.readouterr().out)
    assert explained["url"] == "http://example.com/api?x=1"
    assert explained["answer"]["worker"] == "site"
    assert [route["outcome"] for route in explained["routes"]] == ["no match", "won"]


def test_the_command_explains_a_url_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(folder, "https://example.com/api") == 0

    assert capsys.readouterr().out.startswith("https://example.com/api  →  worker site (by route)\n")


def test_the_command_prints_the_table_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(folder, "--json") == 0

    assert [route["pattern"] for route in json.loads(capsys.readouterr().out)["routes"]] == [
        "example.com/api",
        "example.com/*",
    ]


def test_a_url_that_cannot_be_fetched_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(folder, "ftp://example.com/") == 1

    assert capsys.readouterr().err == (
        'error: Invalid URL: "ftp://example.com/": only http and https can be fetched; '
        'write one such as "https://api.example.com/orders"\n'
    )


def test_a_warning_goes_to_stderr_beside_the_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wrangler.toml").write_text('name = "site"\nmain = "worker.py"\nmistyped = 1\n')

    assert _run(folder, "--json") == 0

    shown = capsys.readouterr()
    assert json.loads(shown.out)["routes"] == []
    assert shown.err.startswith("▲ [WARNING] ")
    assert '"mistyped"' in shown.err


def test_a_refused_pattern_is_told_with_its_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wrangler.toml").write_text('name = "site"\nmain = "worker.py"\nroutes = ["example.com/*.jpg"]\n')

    assert _run(folder) == 1

    error = capsys.readouterr().err
    assert "wrangler.toml" in error
    assert 'Invalid route pattern "example.com/*.jpg"' in error


def test_the_help_names_what_it_takes() -> None:
    parser = argparse.ArgumentParser()
    routes.configure(parser)

    assert "the URL to explain" in parser.format_help()
