from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.messages import URL, Request
from edgeworker.rest.target import Target, UndecodableText, decoded, of


def target(raw: str | None, url: str = "http://a.example/") -> Target:
    return of(Request("GET", URL.parse(url), raw_target=raw))


@pytest.mark.parametrize(
    ("raw", "path", "query"),
    [
        ("/a/../b//c", "/a/../b//c", {}),
        ("/a?b=1&c=+x%2B&b=2", "/a", {"b": "2", "c": " x+"}),
        ("/a?b=&c", "/a", {"b": "", "c": ""}),
        ("/a#b?c=d", "/a#b", {"c": "d"}),
        ("/a??b=1", "/a", {"?b": "1"}),
        ("http://a.example/x/../y?z=1", "/x/../y", {"z": "1"}),
        ("HTTPS://a.example", "/", {}),
        ("/http://a.example/x", "/http://a.example/x", {}),
    ],
)
def test_a_target_is_split_and_its_path_left_as_it_is(raw: str, path: str, query: dict[str, str]) -> None:
    assert target(raw) == Target(path, query)


def test_without_a_raw_target_the_urls_is_taken() -> None:
    assert target(None, "http://a.example/p%20q?r=s") == Target("/p%20q", {"r": "s"})


@pytest.mark.parametrize("raw", ["/a?b=%E9", "/a?b=\udce9"])
def test_a_query_that_is_not_utf8_is_refused(raw: str) -> None:
    with pytest.raises(UndecodableText, match="is not UTF-8"):
        target(raw)


@pytest.mark.parametrize("text", ["%E9", "\udce9", "%F0%9F"])
def test_text_that_is_not_utf8_is_refused(text: str) -> None:
    with pytest.raises(UndecodableText, match="is not percent-encoded UTF-8"):
        decoded(text)


@given(st.text())
def test_what_was_encoded_once_is_decoded_once(text: str) -> None:
    try:
        once = quote(text, safe="")
    except UnicodeEncodeError:
        return
    assert decoded(once) == text
    assert decoded(quote(once, safe="")) == once
