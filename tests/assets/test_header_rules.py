import pytest

from edgeworker.assets.header_rules import MAX_RULES, apply, parse
from edgeworker.messages import URL, Headers


def test_fields_are_added_replaced_and_removed() -> None:
    rules, problems = parse("/*\n  Cache-Control: no-store\n  ! ETag\n\n/a\n  cache-control: private\n")
    headers = Headers([("cache-control", "public"), ("etag", '"1"')])

    apply(rules, URL.parse("http://x.example/a"), headers)

    assert problems == []
    assert headers.entries() == [("cache-control", "no-store, private")]


def test_a_rule_of_a_host_counts_for_that_host() -> None:
    rules, _ = parse("https://a.example/*\n  X-Host: :splat\n")
    ours, other = Headers(), Headers()

    apply(rules, URL.parse("http://a.example:8787/b"), ours)
    apply(rules, URL.parse("http://b.example/b"), other)

    assert ours.get("x-host") == "b"
    assert len(other) == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("X-A: 1\n", 'line 1: a path must come before "X-A: 1"'),
        ("/a\n  nonsense\n", 'line 2: "nonsense" is neither "name: value" nor "! name"'),
        ("/a\n  X A: 1\n", 'line 2: "X A: 1" is not "name: value"'),
        ("/a\n  X-A:\n", 'line 2: "X-A:" is not "name: value"'),
        # Each request that the rule matches would be a 500.
        ("/a\n  X-é: 1\n", "line 2: 'X-é: 1' holds characters that a header cannot have"),
        ("/a\n  X(: 1\n", "line 2: 'X(: 1' holds characters that a header cannot have"),
        ("/a\n  X-A: 1\0\n", "line 2: 'X-A: 1\\x00' holds characters that a header cannot have"),
        ("/a\n  X-A: 1\r2\n", "line 2: 'X-A: 1\\r2' holds characters that a header cannot have"),
        ("/a\n  ! X A\n", 'line 2: "! X A" does not name a header'),
        ("/*/*\n  X: 1\n", 'line 1: "/*/*" is neither a path nor an https URL with one "*" at most'),
        ("http://a/\n", 'line 1: "http://a/" is neither a path nor an https URL with one "*" at most'),
        ("https://a:1/\n", 'line 1: "https://a:1/" is neither a path nor an https URL with one "*" at most'),
        ("/" + "a" * 2000, "line 1: longer than 2000 characters"),
    ],
)
def test_a_line_that_cannot_be_meant_is_left_out(text: str, problem: str) -> None:
    rules, problems = parse(text)

    assert (rules, problems[:1]) == ([], [problem])


def test_there_is_an_end_to_rules() -> None:
    rules, problems = parse("".join(f"/{number}\n  X: 1\n" for number in range(MAX_RULES + 1)))

    assert (len(rules), problems) == (MAX_RULES, [f"line {2 * MAX_RULES + 1}: more than {MAX_RULES} rules"])
