import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.config import Route
from edgeworker.errors import ConfigError
from edgeworker.messages import URL
from edgeworker.routing import LostTo, NoMatch, RouteTable, Won, parse_pattern


def _table(*patterns: str) -> RouteTable:
    return RouteTable(Route(pattern, worker=pattern) for pattern in patterns)


# "Executed" says what miniflare's own matcher answered; the two known issues are Cloudflare's documented ones:
# https://developers.cloudflare.com/workers/platform/known-issues/#route-specificity
@pytest.mark.parametrize(
    ("patterns", "url", "wins"),
    [
        ("www.example.com/* *.example.com/*", "http://www.example.com/", "www.example.com/*"),
        ("example.com/* example.com/hello/*", "http://example.com/hello/world", "example.com/hello/*"),
        ("example.com/* https://example.com/*", "https://example.com/hello", "https://example.com/*"),
        ("example.com/* https://example.com/*", "http://example.com/hello", "example.com/*"),
        ("http://example.com/* example.com/*", "http://example.com/hello", "http://example.com/*"),
        (
            "https://example.com/* example.com/very/long/*",
            "https://example.com/very/long/x",
            "example.com/very/long/*",
        ),
        # Ours: no wildcard in the host wins a tie. miniflare lets the longer text win.
        ("example.com/* *example.com/*", "http://example.com/x", "example.com/*"),
        ("*example.com/* example.com/*", "http://example.com/x", "example.com/*"),
        ("*.example.com/* *example.com/*", "http://www.example.com/x", "*example.com/*"),
        ("*.example.com/* *example.com/*", "http://example.com/x", "*example.com/*"),
        ("*.example.com/*", "http://a.b.example.com/x", "*.example.com/*"),
        ("*.example.com/*", "http://example.com/x", None),
        ("*example.com/*", "http://myexample.com/x", "*example.com/*"),
        ("*.example.com/a a.example.com/*", "http://a.example.com/a", "a.example.com/*"),  # known issue
        ("*.example.com/a/b/c *example.com/*", "http://www.example.com/a/b/c", "*example.com/*"),
        ("*.example.com/api/* www.example.com/*", "http://www.example.com/api/x", "www.example.com/*"),
        ("example.com/images* example.com/images/*", "http://example.com/images", "example.com/images*"),
        ("example.com/images* example.com/images/*", "http://example.com/images123", "example.com/images*"),
        ("example.com/images* example.com/images/*", "http://example.com/images/hello", "example.com/images*"),  # known
        ("example.com/a/b/* example.com/a/b*", "http://example.com/a/b/c", "example.com/a/b*"),
        ("example.com/pa* example.com/path*", "http://example.com/p", None),
        ("example.com/pa* example.com/path*", "http://example.com/pa", "example.com/pa*"),
        ("example.com/pa* example.com/path*", "http://example.com/pat", "example.com/pa*"),
        ("example.com/pa* example.com/path*", "http://example.com/path", "example.com/path*"),
        (
            "example.com/images/cat.png example.com/images/*",
            "http://example.com/images/cat.png",
            "example.com/images/cat.png",
        ),
        (
            "example.com/images/cat.png example.com/images/*",
            "http://example.com/images/cat.png?a=b",
            "example.com/images/*",
        ),
        ("example.com/api example.com/api/*", "http://example.com/api", "example.com/api"),
        ("example.com/api example.com/api/*", "http://example.com/api/", "example.com/api/*"),
        ("example.com/api example.com/api/*", "http://example.com/api?x=1", None),
        ("example.com/api/*", "http://example.com/api", None),
        ("example.com/a/* example.com/a/b/*", "http://example.com/a/b", "example.com/a/*"),
        ("example.com/a/* example.com/a/b/*", "http://example.com/a/b/", "example.com/a/b/*"),
        ("example.com/a* example.com/ab example.com/abc*", "http://example.com/ab", "example.com/a*"),
        ("example.com/a* example.com/ab example.com/abc*", "http://example.com/abcd", "example.com/abc*"),
        ("example.com example.com/*", "http://example.com/", "example.com"),
        ("example.com example.com/*", "http://example.com/?x", "example.com/*"),
        ("example.com", "http://example.com/?x=1", None),
        ("*/* example.com/*", "http://example.com/x", "example.com/*"),
        ("*", "http://foo.bar/", "*"),
        ("*", "http://foo.bar/x", None),
        ("*/api/* *.example.com/*", "http://www.example.com/api/x", "*.example.com/*"),
        ("EXAMPLE.com/*", "http://example.com/x", "EXAMPLE.com/*"),
        ("example.com/API/*", "http://example.com/api/x", None),
        ("127.0.0.1/*", "http://127.0.0.1:8787/x", "127.0.0.1/*"),
        ("localhost/*", "http://localhost:8787/x", "localhost/*"),
        ("[::1]/*", "http://[::1]:8787/x", "[::1]/*"),
        # Beyond the worked examples.
        ("example.com/*", "http://example.com./x", "example.com/*"),  # one trailing dot of the request's host
        ("*/*", "http://anything.example/x?y", "*/*"),
        ("example.com/x*", "http://example.com/x?y=/", "example.com/x*"),
        ("example.com//x/*", "http://example.com/x/y", None),
        ("", "http://example.com/", None),
    ],
)
def test_the_worked_examples_of_which_route_wins(patterns: str, url: str, wins: str | None) -> None:
    winner = _table(*patterns.split()).match(URL.parse(url))

    assert (winner and winner.pattern) == wins


@pytest.mark.parametrize(
    ("patterns", "ranked"),
    [
        ("example.com/* *example.com/*", "example.com/* *example.com/*"),
        ("*example.com/* https://example.com/*", "https://example.com/* *example.com/*"),
        ("*example.com/longer/* example.com/a/*", "example.com/a/* *example.com/longer/*"),
        ("b.example/* a.example/*", "b.example/* a.example/*"),  # nothing between them but their order
        ("* */* *.example.com/* example.com/*", "example.com/* *.example.com/* * */*"),
    ],
)
def test_a_tie_goes_to_no_host_wildcard_then_the_longer_text_then_the_first(patterns: str, ranked: str) -> None:
    assert [route.pattern for route, _ in _table(*patterns.split()).ranked] == ranked.split()


def test_a_route_without_a_worker_takes_part() -> None:
    # https://developers.cloudflare.com/workers/configuration/routing/routes/#matching-behavior
    table = RouteTable([Route("*example.com/images/*", "images"), Route("*example.com/images/cat.png", None)])

    bypassed = table.match(URL.parse("http://example.com/images/cat.png"))
    with_query = table.match(URL.parse("http://example.com/images/cat.png?foo=bar"))

    assert bypassed == Route("*example.com/images/cat.png", None)
    assert with_query == Route("*example.com/images/*", "images")


def test_an_explanation_has_every_route_in_order_with_its_reason() -> None:
    table = _table(
        "*/*",
        "example.com/a",
        "https://example.com/a*",
        "example.com/*",
        "other.com/*",
        "example.com/a*",
        "example.com/b*",
    )

    verdicts = table.explain(URL.parse("http://example.com/a?x=1"))

    winner = Route("example.com/a*", "example.com/a*")
    assert [(verdict.pattern.text, verdict.outcome) for verdict in verdicts] == [
        ("https://example.com/a*", NoMatch("scheme")),
        ("example.com/a*", Won()),
        ("example.com/b*", NoMatch("path")),
        ("example.com/a", NoMatch("query")),
        ("example.com/*", LostTo(winner)),
        ("other.com/*", NoMatch("host")),
        ("*/*", LostTo(winner)),
    ]


@pytest.mark.parametrize("second", ["example.com/*", "EXAMPLE.com/*"])
def test_one_pattern_for_two_workers_is_refused_with_both_places(second: str) -> None:
    twins = [Route("example.com/*", "a", source="a.toml: routes[0]"), Route(second, "b", source="b.toml: route")]

    with pytest.raises(ConfigError) as refused:
        RouteTable(twins)

    assert '"example.com/*" for worker "a" (a.toml: routes[0])' in str(refused.value)
    assert f'"{second}" for worker "b" (b.toml: route)' in str(refused.value)


def test_one_pattern_twice_for_one_worker_is_refused_too() -> None:
    with pytest.raises(ConfigError, match="exists twice"):
        RouteTable([Route("example.com/*", None), Route("example.com/*", None)])


def test_two_spellings_of_one_pattern_for_one_worker_do_no_harm() -> None:
    table = RouteTable([Route("example.com", "a"), Route("example.com/", "a")])

    assert table.match(URL.parse("http://example.com/")) == Route("example.com/", "a")


def test_a_refused_pattern_is_told_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r'^w.toml: routes\[2\]: Invalid route pattern "example.com/\*\.jpg": '):
        RouteTable([Route("example.com/*.jpg", "a", source="w.toml: routes[2]")])


_SCHEMES = st.sampled_from(["", "http://", "https://"])
_HOSTS = st.sampled_from(["a.com", "b.a.com", "c.b.a.com", "ba.com", "com", "localhost"])
_HOST_PATTERNS = st.one_of(st.just("*"), _HOSTS, _HOSTS.map("*{}".format), _HOSTS.map("*.{}".format))
_PATHS = st.text(alphabet="ab/", max_size=5).map("/{}".format)
_PATTERNS = st.builds("{}{}{}{}".format, _SCHEMES, _HOST_PATTERNS, _PATHS, st.sampled_from(["", "*", "/*"]))
_URLS = st.builds("{}://{}{}{}".format, st.sampled_from(["http", "https"]), _HOSTS, _PATHS, st.sampled_from(["", "?a"]))


@given(st.lists(_PATTERNS, max_size=12, unique_by=lambda text: parse_pattern(text).identity), _URLS)
def test_the_index_answers_as_the_definition_does(patterns: list[str], address: str) -> None:
    url = URL.parse(address)
    routes = [Route(text, text) for text in patterns]

    winner = RouteTable(routes).match(url)

    matching = [route for route in routes if parse_pattern(route.pattern).mismatch(url) is None]
    assert winner == min(matching, key=lambda route: parse_pattern(route.pattern).rank, default=None)
    assert [v.route for v in RouteTable(routes).explain(url) if v.outcome == Won()] == ([winner] if winner else [])
