"""Which errors of an authorization request go to the client, and when (RFC 9700 section 4.11.2)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.scripts.oauth.auth_stage import (
    ISSUER,
    Stage,
    answered,
    request,
    set_up,
)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with set_up(workers=("auth", "token")) as made:
        yield made


# Errors of an authorization request (RFC 9700 section 4.11.2)

WRONG = [
    ({"scope": "admin"}, "invalid_scope"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"code_challenge": None}, "invalid_request"),
    ({"prompt": "create"}, "invalid_request"),
    ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
]


@pytest.mark.parametrize(("changes", "error"), WRONG)
def test_an_error_goes_to_the_client_after_the_login_only(
    stage: Stage, changes: dict[str, str | None], error: str
) -> None:
    browser = stage.browser()

    assert "<h1>Sign in</h1>" in browser.open(request(**changes)).text
    assert answered(browser.login()) | {"error_description": ""} == {
        "error": error,
        "error_description": "",
        "state": "s-1",
        "iss": ISSUER,
    }
    assert answered(browser.open(request(**changes)))["error"] == error


@pytest.mark.parametrize(("changes", "error"), WRONG[:3])
def test_a_posted_request_with_an_error_is_not_an_open_redirect_either(
    stage: Stage, changes: dict[str, str | None], error: str
) -> None:
    fields = urlsplit(request(**changes)).query

    assert "<h1>Sign in</h1>" in stage.browser().post("/authorize", fields).text
    assert answered(stage.logged_in().post("/authorize", fields))["error"] == error


def test_a_silent_request_is_answered_at_once(stage: Stage) -> None:
    assert answered(stage.browser().open(request(prompt="none", scope="admin")))["error"] == "invalid_scope"
    assert answered(stage.browser().open(request(prompt="none")))["error"] == "login_required"


def test_a_request_with_an_error_can_still_be_cancelled(stage: Stage) -> None:
    browser = stage.browser()
    browser.open(request(scope="admin"))

    assert answered(browser.submit(action="cancel"))["error"] == "access_denied"
