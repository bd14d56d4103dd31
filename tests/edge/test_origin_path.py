from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.edge.origin_path import as_sent_by_client
from edgeworker.messages import URL, Request

CANONICAL = URL.parse("http://a.example:8080/b")


def sent(raw: str | None) -> str:
    request = as_sent_by_client(Request("GET", CANONICAL, raw_target=raw))
    assert request.url.origin == CANONICAL.origin
    return request.url.target


@pytest.mark.parametrize(
    ("raw", "target"),
    [
        (None, "/b"),
        ("/a/../b", "/a/../b"),
        ("/a/../b?c=../d?", "/a/../b?c=../d?"),
        ("//x\\y", "//x\\y"),
        ("http://a.example:8080/a/../b", "/a/../b"),
        ("http://a.example:8080", "/"),
        ("http://a.example:8080?q", "/?q"),
        ("/a#b?c", "/a"),
        ("/\xe9", "/%C3%A9"),
        ("/\udcff", "/%FF"),
    ],
)
def test_the_target_stands_as_it_was_received(raw: str | None, target: str) -> None:
    assert sent(raw) == target


@given(st.binary(max_size=30))
def test_no_target_breaks_the_request_line(raw: bytes) -> None:
    target = sent("/" + raw.decode("utf-8", "surrogateescape"))

    assert target.isascii()
    assert all("!" <= character <= "~" for character in target)
    if b"#" not in raw and b"%" not in raw:
        assert unquote_to_bytes(target) == b"/" + raw
