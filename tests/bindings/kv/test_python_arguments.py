"""Most of it is in the recorded cases, tests/conformance/test_kv.py."""

import logging
from datetime import UTC, datetime

import pytest

from edgeworker.bindings.kv import python_arguments as arguments
from edgeworker.config import JSON
from edgeworker.runtime.webapi.ffi import JsException, jsnull


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é", "é"),
        (None, "null"),
        (jsnull, "null"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (2**70, str(2**70)),
        (1.5, "1.5"),
        (2.0, "2"),
        (b"ab", "97,98"),
        (["a", None, 1], "a,,1"),
        ({"a": 1}, "[object Object]"),
    ],
)
def test_anything_is_text_as_in_javascript(value: object, text: str) -> None:
    assert arguments.string(value) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (60, 60),
        (60.9, 60),
        (-60.9, -60),
        ("60", 60),
        (" 60\n", 60),
        ("6e1", 60),
        ("60.", 60),
        ("0x3C", 60),
        ("", 0),
        ("1_0", 0),
        ("0x_1", 0),
        ("nan", 0),
        ("infinity", 0),
        ("60s", 0),
        (True, 1),
        ([60], 60),
        ([], 0),
        ({}, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        (2**31 - 1, 2**31 - 1),
        (-(2**31), -(2**31)),
    ],
)
def test_anything_is_a_number_as_in_javascript(value: object, expected: int) -> None:
    assert arguments.integer(value) == expected


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 1e300, 10**400, "3000000000"])
def test_a_number_has_32_bits(value: object) -> None:
    with pytest.raises(
        JsException, match=r"^TypeError: Value out of range\. Must be between -2147483648 and 2147483647"
    ):
        arguments.integer(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (jsnull, None),
        ({"a": jsnull, 1: [1.0, float("nan")]}, {"a": None, "1": [1, None]}),
        (b"ab", {"0": 97, "1": 98}),
        (datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC), "2026-01-02T03:04:05.678Z"),
    ],
)
def test_metadata_is_what_json_stringify_makes_of_it(value: object, expected: JSON) -> None:
    assert arguments.metadata(value) == expected


@pytest.mark.parametrize("value", [(1, 2), object(), {"a": {1, 2}}])
def test_metadata_that_cannot_leave_python_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"cannot be sent over RPC\.$"):
        arguments.metadata(value)


def test_keywords_are_one_object_behind_the_others() -> None:
    assert arguments.positional(["k", "v"], {"expirationTtl": 60}) == ["k", "v", {"expirationTtl": 60}]
    assert arguments.positional(["k"], {}) == ["k"]


def test_options_that_are_none_are_absent(caplog: pytest.LogCaptureFixture) -> None:
    given = {"prefix": None, "cursor": jsnull, "limit": 5}

    assert arguments.options([given], 0, function="list", kind="ListOptions", names=("prefix", "cursor", "limit")) == {
        "limit": 5
    }
    assert caplog.text == ""


def test_none_where_cloudflare_refuses_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        arguments.options([{"expirationTtl": None}], 0, function="put", kind="PutOptions", names=("expirationTtl",))

    assert "KV put() was given None for expirationTtl" in caplog.text


def test_an_option_that_kv_does_not_know_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        arguments.options([{"expiration_ttl": 60}], 0, function="put", kind="PutOptions", names=("expirationTtl",))

    warning = "KV put() has no option expiration_ttl; Cloudflare ignores it too. Its options: expirationTtl."
    assert warning in caplog.text
