"""Which header fields pass scripts/split_token."""

from collections.abc import Iterable

import pytest

from edgeworker.messages import Headers
from edgeworker.runtime.sdk.headers import HTTPMessageMapping
from forwarding import Fields, RequestFields, response_fields
from gateway_settings import STRIPPED

URL = "https://api.example.com:8443/orders?x=1"
SEEN = [("x-forwarded-proto", "https"), ("x-forwarded-host", "api.example.com:8443")]
WHOLE = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"


def _headers(fields: Iterable[tuple[str, str]]) -> HTTPMessageMapping:
    """As scripts see them."""
    return HTTPMessageMapping(Headers(fields))


def _passing(fields: Fields) -> Fields:
    return RequestFields(STRIPPED).forward(_headers(fields), URL)


def _answer(status: int, *fields: tuple[str, str], whole: str | None = WHOLE, cors: Fields | None = None) -> object:
    return response_fields(status, _headers(fields), whole, challenge="Bearer ours", cors=cors or [])


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Cf-Access-Jwt-Assertion",
        "cf_access_jwt_assertion",
        "CF-Access-Client-Id",
        "Forwarded",
        "X-Auth-Request-User",
        "X_Auth_User",
        "X-Forwarded-User",
        "X-Forwarded-Host",
        "X_Forwarded_For",
        "Connection",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
    ],
)
def test_identity_and_connection_fields_of_the_client_are_dropped(name: str) -> None:
    assert _passing([(name, "h2c"), ("accept", "*/*")]) == [("accept", "*/*"), *SEEN]


def test_other_fields_pass_and_the_client_address_is_the_edges() -> None:
    fields = [("accept", "*/*"), ("cf-connecting-ip", "192.0.2.1"), ("cookie", "a=b"), ("x-auth", "1")]

    assert _passing(fields) == [*fields, *SEEN, ("x-forwarded-for", "192.0.2.1")]


def test_what_connection_names_is_dropped_but_never_what_makes_the_request() -> None:
    fields = [
        ("connection", "Close, X-Secret, content-length , content-type, HOST, authorization"),
        ("content-length", "3"),
        ("content-type", "text/plain"),
        ("host", "api.example.com"),
        ("x-secret", "1"),
    ]

    assert _passing(fields) == [*fields[1:4], *SEEN]


def test_what_one_request_names_in_connection_passes_in_the_next() -> None:
    rules = RequestFields(STRIPPED)
    fields = [("x-mine", "1"), ("x-http-method", "PUT")]

    assert rules.forward(_headers([*fields, ("connection", "x-mine")]), URL, public=True) == SEEN
    for _ in range(2):
        assert rules.forward(_headers(fields), URL) == [("x-http-method", "PUT"), ("x-mine", "1"), *SEEN]


def test_an_upgrade_to_a_websocket_passes() -> None:
    fields = [("connection", "Upgrade"), ("upgrade", "WebSocket")]

    assert _passing(fields) == [("upgrade", "WebSocket"), *SEEN]


def test_an_answer_that_needs_no_change_goes_out_as_it_is() -> None:
    assert _answer(200, ("content-type", "text/plain"), ("cache-control", "private, max-age=60")) is None
    assert _answer(101, ("cache-control", "public")) is None


@pytest.mark.parametrize("part", WHOLE.split("."))
def test_a_challenge_that_tells_a_part_of_the_joined_token_is_replaced(part: str) -> None:
    told = f'Bearer error="invalid_token", error_description="bad: {part}"'

    assert _answer(401, ("www-authenticate", told), ("cache-control", "no-store")) == [
        ("cache-control", "no-store"),
        ("www-authenticate", "Bearer ours"),
    ]


def test_a_challenge_that_tells_nothing_stays() -> None:
    assert _answer(401, ("www-authenticate", 'Bearer error="invalid_token"'), ("cache-control", "no-store")) is None


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_of_the_api_is_not_to_be_stored(status: int) -> None:
    assert _answer(status) == [("cache-control", "no-store")]
    assert _answer(status, whole=None) is None


@pytest.mark.parametrize("directive", ["public", "S-MaxAge=10", "must-revalidate", "max-age=5, public"])
def test_a_shared_cache_keeps_answers_apart_by_authorization(directive: str) -> None:
    kept = ("cache-control", directive)

    assert _answer(200, kept) == [kept, ("vary", "Authorization")]
    assert _answer(200, kept, ("vary", "Accept")) == [kept, ("vary", "Accept, Authorization")]
    assert _answer(200, kept, ("vary", "accept, authorization")) is None
    assert _answer(200, kept, ("vary", "*")) is None
    assert _answer(200, kept, whole=None) is None


def test_set_cookie_fields_stay_apart_when_an_answer_changes() -> None:
    cookies = [("set-cookie", "a=1"), ("set-cookie", "b=2")]

    assert _answer(401, *cookies) == [*cookies, ("cache-control", "no-store")]


def test_cors_fields_are_added_where_the_api_has_none_of_its_own() -> None:
    cors = [("access-control-allow-origin", "https://app.example.com"), ("vary", "Origin")]

    assert _answer(200, cors=cors) == cors
    assert _answer(200, ("vary", "Accept"), cors=cors) == [cors[0], ("vary", "Accept, Origin")]
    assert _answer(200, ("cache-control", "public"), cors=cors) == [
        ("cache-control", "public"),
        ("vary", "Authorization, Origin"),
        cors[0],
    ]
    assert _answer(200, ("Access-Control-Allow-Origin", "*"), cors=cors) is None


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "x_http_method_override", "X-HTTP-Method", "X-Method-Override"]
)
def test_the_method_that_let_a_request_pass_without_a_token_is_the_one_that_the_api_sees(name: str) -> None:
    headers, fields = _headers([(name, "DELETE")]), RequestFields(STRIPPED)

    assert fields.forward(headers, URL, public=True) == SEEN
    assert fields.forward(headers, URL) == [(name.lower(), "DELETE"), *SEEN]
