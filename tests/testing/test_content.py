"""Bodies and headers as tests write them."""

from collections.abc import AsyncIterator

import pytest

from edgeworker.config import JSON
from edgeworker.messages import Headers
from edgeworker.testing.content import MISSING, BodyLike, body_of, headers_of


async def _pieces() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


@pytest.mark.parametrize(
    ("given", "content", "length", "content_type"),
    [
        ("é", "é".encode(), 2, "text/plain;charset=UTF-8"),
        (b"\x00", b"\x00", 1, None),
        ([b"a", b"b"], b"ab", None, None),
        (_pieces(), b"ab", None, None),
    ],
)
async def test_a_body_is_what_was_given(
    given: BodyLike, content: bytes, length: int | None, content_type: str | None
) -> None:
    body, kind = body_of(given, MISSING)

    assert body is not None
    assert (body.length, kind) == (length, content_type)
    assert await body.read() == content


@pytest.mark.parametrize(("value", "text"), [(None, b"null"), ({"a": ["é"]}, '{"a": ["é"]}'.encode())])
async def test_json_is_written_as_text(value: JSON, text: bytes) -> None:
    body, kind = body_of(None, value)

    assert body is not None
    assert (kind, await body.read()) == ("application/json", text)


def test_nothing_is_no_body() -> None:
    assert body_of(None, MISSING) == (None, None)


def test_a_body_and_json_exclude_each_other() -> None:
    with pytest.raises(TypeError, match="a body or json, not both"):
        body_of("x", None)


def test_a_given_content_type_stays() -> None:
    assert headers_of({"content-type": "a/b"}, "c/d").get("content-type") == "a/b"
    assert headers_of([("x", "1"), ("x", "2")], "c/d").entries() == [("content-type", "c/d"), ("x", "1, 2")]


def test_headers_are_copied() -> None:
    given = Headers({"x": "1"})

    headers_of(given).set("x", "2")

    assert given.get("x") == "1"
