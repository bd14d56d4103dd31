"""What scripts/*/verifier words for an API, read by a strict parser."""

import json

import pytest
from werkzeug.datastructures import WWWAuthenticate

from verifier import responses
from verifier.responses import Problem

APP = "https://app.example.com"


@pytest.mark.parametrize(
    ("refused", "parameters"),
    [
        (Problem(401, "An access token is needed"), {"realm": "orders, and more"}),
        (
            Problem(401, "The access token expired", error="invalid_token"),
            {
                "realm": "orders, and more",
                "error": "invalid_token",
                "error_description": "The access token expired",
            },
        ),
        (
            Problem(403, "Not enough", error="insufficient_scope", scope="read write"),
            {
                "realm": "orders, and more",
                "error": "insufficient_scope",
                "error_description": "Not enough",
                "scope": "read write",
            },
        ),
    ],
)
def test_a_challenge_is_read_as_it_was_meant(refused: Problem, parameters: dict[str, str]) -> None:
    answer = responses.problem_response(refused, realm="orders, and more", cors=[])
    fields = dict(answer.fields)

    parsed = WWWAuthenticate.from_header(fields["www-authenticate"])
    assert parsed is not None
    assert (parsed.type, parsed.token, dict(parsed.parameters)) == ("bearer", None, parameters)
    assert fields["cache-control"] == "no-store"


@pytest.mark.parametrize("status", [400, 429, 431, 502, 503])
def test_what_is_not_about_credentials_has_no_challenge(status: int) -> None:
    answer = responses.problem_response(Problem(status, "why", retry_after_seconds=7), realm="api", cors=[])

    assert "www-authenticate" not in dict(answer.fields)
    assert dict(answer.fields)["retry-after"] == "7"


def test_the_body_is_a_problem_document() -> None:
    answer = responses.problem_response(
        Problem(401, "The access token expired", error="invalid_token"), realm="api", cors=[]
    )

    assert dict(answer.fields)["content-type"] == "application/problem+json"
    assert answer.text is not None
    assert json.loads(answer.text) == {
        "type": "about:blank",
        "title": "Unauthorized",
        "status": 401,
        "detail": "The access token expired",
        "error": "invalid_token",
    }


@pytest.mark.parametrize(
    ("origin", "allowed", "expected"),
    [
        (APP, {APP}, {"access-control-allow-origin": APP, "vary": "Origin"}),
        (APP, {"*"}, {"access-control-allow-origin": "*"}),
        ("https://evil.example", {APP}, {"vary": "Origin"}),
        (f"{APP}.evil.example", {APP}, {"vary": "Origin"}),
        ("null", {APP}, {"vary": "Origin"}),
        (None, {APP}, {"vary": "Origin"}),
        (APP, set(), {}),
    ],
)
def test_only_allowed_origins_may_read(origin: str | None, allowed: set[str], expected: dict[str, str]) -> None:
    fields = dict(responses.cors_fields(origin, frozenset(allowed)))

    exposed = fields.pop("access-control-expose-headers", None)
    assert fields == expected
    assert (exposed == "WWW-Authenticate, Retry-After") is ("access-control-allow-origin" in expected)


def test_a_preflight_names_the_headers_that_were_asked_for() -> None:
    answer = responses.preflight_response(APP, "PUT", "authorization, x-trace", realm="api", allowed=frozenset({APP}))

    assert (answer.status, answer.text) == (204, None)
    fields = dict(answer.fields)
    assert fields["access-control-allow-origin"] == APP
    assert fields["access-control-allow-methods"] == "PUT"
    assert fields["access-control-allow-headers"] == "authorization, x-trace"
    assert fields["vary"].startswith("Origin, ")


def test_a_preflight_of_another_origin_is_refused_without_cors() -> None:
    answer = responses.preflight_response("https://evil.example", "GET", None, realm="api", allowed=frozenset({APP}))

    assert answer.status == 403
    assert not {name for name, _ in answer.fields} & {"access-control-allow-origin", "www-authenticate"}


@pytest.mark.parametrize(
    ("method", "headers"), [("", None), ("G T", None), ("GET", "a b"), ("GET", "x, "), ("GET", "é")]
)
def test_a_malformed_preflight_is_a_bad_request(method: str, headers: str | None) -> None:
    assert responses.preflight_response(APP, method, headers, realm="api", allowed=frozenset({APP})).status == 400
