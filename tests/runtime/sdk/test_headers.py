"""`request.headers`: an HTTPMessage that is a mapping. Source: workers/utils.py of workers-runtime-sdk 1.9.5."""

from collections.abc import Callable, Mapping
from http.client import HTTPMessage

import pytest

from edgeworker.messages import Headers
from edgeworker.runtime.sdk.headers import HTTPMessageMapping, from_script
from edgeworker.runtime.webapi.ffi import JsException

RAW = Headers.from_raw(
    [(b"X-B", b"1"), (b"Accept", b" a "), (b"x-b", b"2"), (b"Set-Cookie", b"c"), (b"Set-Cookie", b"d")]
)


def made() -> HTTPMessageMapping:
    return HTTPMessageMapping(RAW)


@pytest.mark.parametrize("built", [False, True])
def test_headers_are_looked_up_whatever_their_case_before_and_after_the_message_is_built(*, built: bool) -> None:
    headers = made()
    if built:
        assert headers.keys()

    assert isinstance(headers, HTTPMessage)
    assert isinstance(headers, Mapping)
    assert headers["x-b"] == headers["X-B"] == headers.get("X-b") == "1, 2"
    assert headers["missing"] is None
    assert headers.get("missing", "other") == "other"
    assert headers.get("set-cookie") == "c"
    assert "ACCEPT" in headers
    assert "missing" not in headers
    assert 3 not in headers


def test_the_methods_of_an_email_message_are_there() -> None:
    headers = made()

    assert headers.get_all("Set-Cookie") == ["c", "d"]
    assert headers.get_all("none", []) == []
    assert headers.keys() == list(headers) == ["accept", "set-cookie", "set-cookie", "x-b"]
    assert headers.items()[-1] == ("x-b", "1, 2")
    assert len(headers) == 4
    assert headers.get_content_type() == "text/plain"
    with pytest.raises(AttributeError, match="nothing"):
        _ = headers.nothing  # type: ignore[attr-defined]  # that is the point


def test_a_change_is_seen_in_this_copy_only() -> None:
    headers = made()
    headers["New"] = "1"
    del headers["accept"]

    assert headers["new"] == "1"
    assert headers["accept"] is None
    assert made()["new"] is None


def test_the_repr_shows_no_value() -> None:
    assert "1, 2" not in repr(made())


def test_items_are_what_the_message_has_before_and_after_it_is_built() -> None:
    plain = made().items()
    built = made()
    built["Added"] = "later"

    assert plain == [("accept", " a "), ("set-cookie", "c"), ("set-cookie", "d"), ("x-b", "1, 2")]
    assert built.items() == [*plain, ("Added", "later")]


@pytest.mark.parametrize("bad", [("x", "a\r\nInjected: b"), ("x", "a\0"), ("x y", "a"), ("", "a")])
@pytest.mark.parametrize("make", [dict, list, lambda pairs: [list(pair) for pair in pairs]])
def test_copied_fields_are_checked_as_any_that_a_script_sets(
    make: Callable[[list[tuple[str, str]]], object], bad: tuple[str, str]
) -> None:
    with pytest.raises((TypeError, JsException)):
        from_script(make([*made().items(), bad]))


def test_copied_fields_stay_apart_and_numbers_become_text() -> None:
    copied = from_script([*made().items(), ("X-Count", 3)])

    assert copied is not None
    assert copied.get_set_cookie() == ["c", "d"]
    assert copied.get("x-b") == "1, 2"
    assert copied.get("accept") == "a"
    assert copied.get("x-count") == "3"
