import pytest

from edgeworker.assets.redirect_rules import MAX_DYNAMIC_RULES, MAX_STATIC_RULES, location, parse
from edgeworker.messages import URL

AT = "https://x.example"


def test_static_rules_are_looked_at_before_those_with_placeholders() -> None:
    redirects, problems = parse("/a/b /static\n/a/* /dynamic/:splat 301\n/below /never\n", "none")

    assert problems == []
    assert redirects.find(URL.parse(f"{AT}/a/b?q")) == (302, "/static")
    assert redirects.find(URL.parse(f"{AT}/a/c/d")) == (301, "/dynamic/c/d")
    assert redirects.find(URL.parse(f"{AT}/below")) == (302, "/never")
    assert redirects.find(URL.parse(f"{AT}/other")) is None


@pytest.mark.parametrize(
    ("to", "place"),
    [
        ("/b", "/b?q=1"),
        ("/b?own", "/b?own"),
        ("/b#there", "/b?q=1#there"),
        ("https://y.example/b", "https://y.example/b?q=1"),
        ("https://x.example/b", "/b?q=1"),
        ("//y.example", "https://y.example/?q=1"),
    ],
)
def test_the_query_goes_along_where_the_target_has_none(to: str, place: str) -> None:
    assert location(URL.parse(f"{AT}/a?q=1"), to) == place


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("/a", '"/a" is not "/from /to" or "/from /to status"'),
        ("/a /b 301 x", '"/a /b 301 x" is not "/from /to" or "/from /to status"'),
        ("/a /b 404", "404 is not one of the statuses 200, 301, 302, 303, 307, 308"),
        ("https://x.example/a /b", "https://x.example/a must be a path: only its own host is redirected"),
        ("/a b", "b must begin with / or https://"),
        ("/a https://y.example 200", "https://y.example must be a path, because the status is 200"),
        ("/* /index.html 200", "/* to /index.html would go round in circles"),
        ("/ /index", "/ to /index would go round in circles"),
        ("/:a/:a /b", "/:a/:a has one name twice"),
        ("/a " + "/b" * 1000, "longer than 2000 characters"),
    ],
)
def test_a_line_that_cannot_be_meant_is_left_out(line: str, problem: str) -> None:
    redirects, problems = parse(f"# remark\n{line}\n", "auto-trailing-slash")

    assert problems == [f"line 2: {problem}"]
    assert (redirects.static, redirects.dynamic) == ({}, [])


def test_a_path_has_one_rule() -> None:
    redirects, problems = parse("/a /b\n/a /c\n", "none")

    assert redirects.find(URL.parse(f"{AT}/a")) == (302, "/b")
    assert problems == ["line 2: /a has a rule already"]


def test_there_is_an_end_to_rules() -> None:
    static, problems = parse("".join(f"/{number} /b\n" for number in range(MAX_STATIC_RULES + 1)), "none")
    assert (len(static.static), len(problems)) == (MAX_STATIC_RULES, 1)

    dynamic, problems = parse("".join(f"/{number}/* /b\n" for number in range(MAX_DYNAMIC_RULES + 2)), "none")
    assert (len(dynamic.dynamic), len(problems)) == (MAX_DYNAMIC_RULES, 1)
