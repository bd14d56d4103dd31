"""Fields of the auth worker's responses: never stored, never framed, no Referer, no script."""

import pytest

from issuer import html_responses
from issuer.endpoint_response import EndpointResponse
from tests.scripts.oauth.in_memory import field_of

RESPONSES = {
    "page": html_responses.page("text"),
    "redirect": html_responses.redirect("/login"),
}


@pytest.mark.parametrize("name", RESPONSES)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),  # RFC 9700 section 4.2.4: a code in the URL
        ("x-frame-options", "DENY"),  # RFC 9700 section 4.16
        ("x-content-type-options", "nosniff"),
    ],
)
def test_pages_and_redirects_are_protected(name: str, field: str, value: str) -> None:
    assert field_of(RESPONSES[name], field) == value


def policy(response: EndpointResponse) -> dict[str, str]:
    text = field_of(response, "content-security-policy") or ""
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in text.split(";"))}


@pytest.mark.parametrize("name", RESPONSES)
def test_nothing_runs_in_a_page_and_nothing_frames_it(name: str) -> None:
    assert policy(RESPONSES[name]) == {
        "default-src": "'none'",
        "style-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }


def test_a_form_may_lead_to_the_client_it_is_for() -> None:
    made = html_responses.page("text", form_source="https://shop.example.net com.example.app:")

    assert policy(made)["form-action"] == "'self' https://shop.example.net com.example.app:"


def test_a_redirect_after_a_form_is_a_303() -> None:
    """RFC 9700 section 4.12: 307 would send the password on."""
    made = html_responses.redirect("https://shop.example.net/cb?code=c")

    assert (made.status, made.text) == (303, None)
    assert field_of(made, "location") == "https://shop.example.net/cb?code=c"
    assert html_responses.redirect("/login", status=302).status == 302


def test_a_page_says_when_to_try_again() -> None:
    assert field_of(html_responses.page("text"), "retry-after") is None
    made = html_responses.page("text", status=503, retry_after_seconds=5)
    assert (made.status, field_of(made, "retry-after")) == (503, "5")


def test_the_stylesheet_alone_may_be_cached() -> None:
    made = html_responses.stylesheet("a {}")

    assert field_of(made, "cache-control") == "public, max-age=31536000, immutable"
    assert field_of(made, "content-type") == "text/css;charset=utf-8"
