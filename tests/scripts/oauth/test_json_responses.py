"""Errors of RFC 6749 and RFC 6750, JSON, and CORS, as values."""

import pytest

from issuer.endpoint_response import EndpointResponse
from issuer.json_responses import OAuthError, cors_fields, error_response, json_response, options_response
from tests.scripts.oauth.in_memory import document, field_of

PAGE = "https://app.example.org"
ALL, ONE, NONE = frozenset({"*"}), frozenset({PAGE}), frozenset[str]()


def answered(error: OAuthError) -> EndpointResponse:
    return error_response(error, realm="https://auth.example.com", resource_metadata="https://auth.example.com/m")


def test_an_error_is_json_that_nothing_stores() -> None:
    """RFC 6749 section 5.2."""
    made = answered(OAuthError("invalid_grant", "The code is used"))

    assert made.status == 400
    assert document(made) == {"error": "invalid_grant", "error_description": "The code is used"}
    assert field_of(made, "cache-control") == "no-store"
    assert field_of(made, "pragma") == "no-cache"
    assert field_of(made, "www-authenticate") is None


def test_basic_credentials_are_asked_for_with_the_realm() -> None:
    made = answered(OAuthError("invalid_client", "no", status=401, challenge="Basic"))

    assert field_of(made, "www-authenticate") == 'Basic realm="https://auth.example.com", charset="UTF-8"'


def test_a_request_without_a_token_gets_a_bare_challenge() -> None:
    """RFC 6750 section 3.1: no error code; RFC 9728 section 5.1: where the resource describes itself."""
    made = answered(OAuthError(None, "An access token is needed", status=401, challenge="Bearer"))

    assert field_of(made, "www-authenticate") == (
        'Bearer realm="https://auth.example.com", resource_metadata="https://auth.example.com/m"'
    )
    assert "error" not in document(made)


def test_a_refused_token_is_told_why_and_which_scope_it_lacks() -> None:
    made = answered(OAuthError("insufficient_scope", "more", status=403, challenge="Bearer", scope="openid"))

    assert field_of(made, "www-authenticate") == (
        'Bearer realm="https://auth.example.com", error="insufficient_scope", error_description="more", '
        'scope="openid", resource_metadata="https://auth.example.com/m"'
    )


@pytest.mark.parametrize("detail", ['a "quote"', "a\\b", "a\nb", "é"])
def test_a_description_cannot_leave_its_quoted_string(detail: str) -> None:
    """RFC 6749 section 5.2 allows %x20-21 / %x23-5B / %x5D-7E."""
    with pytest.raises(AssertionError):
        OAuthError("invalid_request", detail)


def test_a_client_is_told_when_to_try_again_and_which_methods_there_are() -> None:
    made = answered(OAuthError("invalid_request", "no", status=405, allow="POST", retry_after_seconds=60))

    assert (field_of(made, "allow"), field_of(made, "retry-after")) == ("POST", "60")


def test_only_what_is_public_may_be_cached() -> None:
    assert field_of(json_response({}), "cache-control") == "no-store"
    assert field_of(json_response({}, cache_seconds=300), "cache-control") == "public, max-age=300"


@pytest.mark.parametrize(
    ("origin", "allowed", "allow_origin", "vary"),
    [
        (PAGE, ALL, "*", None),
        (None, ALL, "*", None),  # a cache gives this response to pages as well
        (PAGE, ONE, PAGE, "Origin"),
        ("https://evil.example", ONE, None, "Origin"),
        ("null", ONE, None, "Origin"),
        (None, ONE, None, "Origin"),
        (PAGE, NONE, None, None),
    ],
)
def test_pages_that_may_read_a_response(
    origin: str | None, allowed: frozenset[str], allow_origin: str | None, vary: str | None
) -> None:
    made = EndpointResponse(200, "", cors_fields(origin, allowed))

    assert field_of(made, "access-control-allow-origin") == allow_origin
    assert field_of(made, "vary") == vary
    assert field_of(made, "access-control-allow-credentials") is None


def test_a_preflight_is_answered_for_an_allowed_page() -> None:
    made = options_response(("POST", "OPTIONS"), PAGE, "authorization, content-type", ONE)

    assert (made.status, made.text) == (204, None)
    assert field_of(made, "access-control-allow-origin") == PAGE
    assert field_of(made, "access-control-allow-methods") == "POST, OPTIONS"
    assert field_of(made, "access-control-allow-headers") == "authorization, content-type"
    assert field_of(made, "allow") == "POST, OPTIONS"


@pytest.mark.parametrize("origin", [None, "https://evil.example"])
def test_another_one_gets_the_methods_only(origin: str | None) -> None:
    made = options_response(("POST",), origin, "authorization", ONE)

    assert field_of(made, "allow") == "POST"
    assert not [name for name, _ in made.fields if name.startswith("access-control")]


@pytest.mark.parametrize("headers", ["a: b", "x\r\nset-cookie: a=b", "é", "a" * 1024, ""])
def test_header_names_are_echoed_only_if_they_are_names(headers: str) -> None:
    assert field_of(options_response(("POST",), PAGE, headers, ALL), "access-control-allow-headers") is None
