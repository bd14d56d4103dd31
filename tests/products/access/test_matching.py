"""Which application a URL belongs to. Tables from the documentation of application paths."""

import pytest

from edgeworker.config import JSON
from edgeworker.products.access.json_object import InvalidObject
from edgeworker.products.access.matching import ApplicationIndex
from edgeworker.products.access.objects import parse_application, parse_destination


def _index(*uris: str) -> ApplicationIndex:
    return ApplicationIndex(parse_application({"name": uri, "domain": uri}) for uri in uris)


# https://developers.cloudflare.com/cloudflare-one/access-controls/policies/app-paths/
@pytest.mark.parametrize(
    ("pattern", "covered", "not_covered"),
    [
        ("*.example.com", ["a.example.com/", "a.example.com/x"], ["example.com/", "a.b.example.com/", ".example.com/"]),
        ("*test.example.com", ["test.example.com/", "alphatest.example.com/"], ["x.test.example.com/"]),
        ("example.com", ["example.com/", "example.com/x/y"], ["a.example.com/", "example.com.evil.net/"]),
        ("example.com/*", ["example.com/", "example.com/x/y"], ["a.example.com/"]),
        ("example.com/alpha/*", ["example.com/alpha/one", "example.com/alpha/"], ["example.com/alpha", "example.com/"]),
        (
            "example.com/foo*/bar",
            ["example.com/foo/bar", "example.com/food/bar", "example.com/food/stuff/bar"],
            ["example.com/foo", "example.com/fo/bar", "example.com/foo/bard"],
        ),
        (
            "example.com/eng",
            ["example.com/eng", "example.com/eng/", "example.com/eng/exec"],
            ["example.com/engine", "example.com/", "example.com/ENG"],
        ),
        ("*.example.com/a*b", ["x.example.com/ab", "x.example.com/a/b"], ["x.example.com/a", "example.com/ab"]),
    ],
)
def test_a_pattern_covers_what_the_documentation_says(pattern: str, covered: list[str], not_covered: list[str]) -> None:
    index = _index(pattern)

    def matches(url: str) -> bool:
        host, _, path = url.partition("/")
        return index.match(host, f"/{path}") is not None

    assert [url for url in covered if not matches(url)] == []
    assert [url for url in not_covered if matches(url)] == []


@pytest.mark.parametrize(
    ("patterns", "url", "wins"),
    [
        (["dash.com/eng", "dash.com/eng/exec"], "dash.com/eng/exec", "dash.com/eng/exec"),
        (["dash.com/eng/exec", "dash.com/eng"], "dash.com/eng/other", "dash.com/eng"),
        (["dash.com", "dash.com/eng"], "dash.com/eng", "dash.com/eng"),
        (["dash.com", "dash.com/eng"], "dash.com/", "dash.com"),
        (["*.dash.com", "a.dash.com"], "a.dash.com/", "a.dash.com"),
        (["*.dash.com", "*test.dash.com"], "mytest.dash.com/", "*test.dash.com"),
        (["dash.com/*/b", "dash.com/a/b"], "dash.com/a/b", "dash.com/a/b"),
    ],
)
def test_the_most_specific_application_wins_whatever_the_order(patterns: list[str], url: str, wins: str) -> None:
    host, _, path = url.partition("/")
    for order in (patterns, patterns[::-1]):
        match = _index(*order).match(host, f"/{path}")
        assert match is not None
        assert match.uri == wins


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        ("example.com:8080/x", "has a port"),
        ("example.com/x?a=1", "has a query or fragment"),
        ("*a*.example.com", "two"),
        ("example.com/a*b*c/d", "two"),
        ("/x", "no host name"),
        ("exa mple.com", "no host name"),
        ("a..example.com", "no host name"),
    ],
)
def test_a_destination_that_could_not_be_meant_is_refused(uri: str, text: str) -> None:
    with pytest.raises(InvalidObject, match=text):
        parse_destination(uri, "apps[0].domain")


def test_a_host_or_path_wins_over_a_preview_worker_over_a_worker_over_all_workers() -> None:
    def app(name: str, *destinations: JSON) -> ApplicationIndex:
        return ApplicationIndex([parse_application({"name": name, "destinations": list(destinations)})])

    both = ApplicationIndex(
        [
            parse_application({"name": "all", "destinations": [{"type": "all_workers"}]}),
            parse_application({"name": "one", "destinations": [{"type": "worker", "worker_id": "shop"}]}),
            parse_application({"name": "preview", "destinations": [{"type": "preview_worker", "worker_id": "shop"}]}),
        ]
    )

    def name(index: ApplicationIndex, worker: str, *, preview: bool = False) -> str | None:
        match = index.match_worker((worker,), preview=preview)
        return None if match is None else match.application.name

    assert name(both, "shop") == "one"
    assert name(both, "shop", preview=True) == "preview"
    assert name(both, "other") == "all"
    assert name(app("none", {"type": "worker", "worker_id": "x"}), "shop") is None


def test_an_application_that_covers_the_same_as_another_is_found() -> None:
    assert [pair[0].match.uri for pair in _index("a.com/x", "a.com/x/").shadowed()] == ["a.com/x/"]
    assert _index("a.com/x", "a.com/y", "a.com").shadowed() == []
