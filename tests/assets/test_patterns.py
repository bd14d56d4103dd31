import pytest

from edgeworker.assets.patterns import fill_placeholders, glob_pattern, rule_pattern


@pytest.mark.parametrize(
    ("rule", "text", "values"),
    [
        ("/a/*", "/a/b/c", {"splat": "b/c"}),
        ("/:x/:y", "/1/2", {"x": "1", "y": "2"}),
        ("/:x", "/1/2", None),
        ("/a.b", "/axb", None),
        ("https://:sub.example.com/*", "https://www.example.com/x", {"sub": "www", "splat": "x"}),
        ("https://:sub.example.com/", "https://a.b.example.com/", None),
    ],
)
def test_a_rule_matches_the_whole_text(rule: str, text: str, values: dict[str, str] | None) -> None:
    pattern = rule_pattern(rule)
    assert pattern is not None
    found = pattern.fullmatch(text)
    assert (None if found is None else found.groupdict()) == values


def test_a_name_twice_is_not_a_rule() -> None:
    assert rule_pattern("/:a/:a") is None


def test_what_has_no_value_stays() -> None:
    assert fill_placeholders("/:a/:b:a", {"a": "1"}) == "/1/:b1"


def test_a_glob_knows_only_the_star() -> None:
    assert glob_pattern("/a.b/*").fullmatch("/a.b/c/d")
    assert not glob_pattern("/a.b/*").fullmatch("/axb/c")
