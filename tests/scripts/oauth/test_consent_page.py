"""The consent page of a request: its form, its link to another account, and what it shows."""

import html
import re
from urllib.parse import parse_qs

import pytest

from issuer import csrf, form_parameters
from issuer.authorization_request import AuthorizationRequest, find_target, parse
from issuer.consent_page import consent_page
from issuer.page_context import SignedIn
from issuer.sessions import LoginSession
from tests.scripts.oauth.auth_stage import request as request_path
from tests.scripts.oauth.in_memory import Stores, ann, auth_settings, field_of, page_context
from tests.scripts.oauth.token_stage import START

KNOWN = auth_settings()
ANN = ann()
SIGNED_IN = SignedIn("session-id", LoginSession(ANN.id, START, START, START), ANN)


def pending(**changes: str | None) -> AuthorizationRequest:
    parameters = form_parameters.parse(request_path(**changes).partition("?")[2])
    target = find_target(parameters, KNOWN.clients[parameters.get("client_id") or ""])
    request = parse(parameters, target, KNOWN)
    assert isinstance(request, AuthorizationRequest)
    return request


def text_of(request: AuthorizationRequest) -> str:
    text = consent_page(page_context(Stores(), known=KNOWN), request, SIGNED_IN).text
    assert text is not None
    return text


def test_the_form_is_good_for_this_session_and_this_request_only() -> None:
    request = pending()
    text = text_of(request)

    token = re.search(r'name="csrf" value="([^"]*)"', text)
    assert token is not None
    assert csrf.is_valid(token[1], "session-id", "consent", request.query)
    assert f'action="{html.escape("/code?" + request.query)}"' in text


@pytest.mark.parametrize(
    ("prompt", "again"),
    [(None, ["login"]), ("consent", ["consent login"]), ("select_account", ["login select_account"])],
)
def test_another_account_is_chosen_by_logging_in(prompt: str | None, again: list[str]) -> None:
    request = pending(prompt=prompt)

    link = re.search(r'<a href="/login\?([^"]*)">Switch account</a>', text_of(request))

    assert link is not None
    query = parse_qs(html.unescape(link[1]))
    assert query.pop("prompt") == again
    before = parse_qs(request.query)
    before.pop("prompt", None)
    assert query == before


def test_scopes_are_shown_by_their_sentences_and_resources_by_their_names() -> None:
    text = text_of(pending(resource="https://api.example.com"))

    assert "<li><span>Know who you are</span></li>\n<li><span>See your orders</span></li>" in text
    assert "<code>https://api.example.com</code>" in text
    assert "See your e-mail address" not in text


@pytest.mark.parametrize(
    ("client_id", "uri", "remembered"),
    [("victoriasclient", "https://shop.example.net/callback", True), ("native", "http://127.0.0.1/cb", False)],
)
def test_it_says_whether_it_asks_again(client_id: str, uri: str, remembered: bool) -> None:
    text = text_of(pending(client_id=client_id, redirect_uri=uri))

    assert ("It will not ask again" in text) is remembered


def test_shown_once_more_it_says_why_and_its_form_may_lead_to_the_client() -> None:
    made = consent_page(page_context(Stores(), known=KNOWN), pending(), SIGNED_IN, notice="Too old.", status=403)

    assert made.status == 403
    assert "Too old." in (made.text or "")
    assert "form-action 'self' https://shop.example.net" in (field_of(made, "content-security-policy") or "")
