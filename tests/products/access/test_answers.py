"""The matrix of answers to those who have no session. Rows: access.md of the reference, section 6."""

import pytest

from edgeworker.config import JSON
from edgeworker.messages import Headers
from edgeworker.products.access.answers import (
    Answer,
    AnswerPreflight,
    PassPreflight,
    RedirectTo,
    RedirectToLogin,
    Refuse,
    choose_answer,
    classify_request,
    cors_fields,
    strict_refusal,
)
from edgeworker.products.access.config import Application
from edgeworker.products.access.objects import parse_application
from edgeworker.products.access.policy import LoginNeeded, PolicyDenied, ServiceAuthNeeded


def _app(**more: JSON) -> Application:
    return parse_application({"name": "a", "domain": "a.com", **more})


GET: dict[str, str] = {}
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
XHR = {"x-requested-with": "XMLHttpRequest"}
JSON_ONLY = {"accept": "application/json"}
SCRIPT = {"sec-fetch-mode": "cors"}
WEBSOCKET = {"upgrade": "websocket", "connection": "upgrade"}
PREFLIGHT = {"origin": "https://b.com", "access-control-request-method": "PUT"}
LOGIN = LoginNeeded()
SERVICE = ServiceAuthNeeded()
DENIED = PolicyDenied(None)
REFUSE_SERVICE = Refuse(403, "service_auth_required", names_app=True)
CORS: JSON = {"allowed_origins": ["https://b.com"], "allowed_methods": ["PUT"], "allow_credentials": True}
OAUTH: JSON = {"enabled": True}


@pytest.mark.parametrize(
    ("decision", "fields", "application", "expected"),
    [
        (LOGIN, GET, _app(), RedirectToLogin()),
        (LOGIN, BROWSER, _app(), RedirectToLogin()),
        (LOGIN, XHR, _app(), Refuse(401, "login_required", challenge="access", cors=True)),
        (LOGIN, JSON_ONLY, _app(), RedirectToLogin()),
        (LOGIN, SCRIPT, _app(), RedirectToLogin()),
        (LOGIN, WEBSOCKET, _app(), RedirectToLogin()),
        (LOGIN, PREFLIGHT, _app(), Refuse(403, "preflight_denied", names_app=True)),
        (LOGIN, PREFLIGHT, _app(options_preflight_bypass=True), PassPreflight()),
        (LOGIN, PREFLIGHT, _app(cors_headers=CORS), AnswerPreflight()),
        (LOGIN, GET, _app(oauth_configuration=OAUTH), Refuse(401, "oauth_required", as_json=True, challenge="oauth")),
        (LOGIN, BROWSER, _app(oauth_configuration=OAUTH), RedirectToLogin()),
        (LOGIN, GET, _app(service_auth_401_redirect=True), RedirectToLogin()),
        (SERVICE, GET, _app(), REFUSE_SERVICE),
        (SERVICE, XHR, _app(), REFUSE_SERVICE),
        (SERVICE, JSON_ONLY, _app(), Refuse(403, "service_auth_required", as_json=True, names_app=True)),
        (SERVICE, WEBSOCKET, _app(), REFUSE_SERVICE),
        (SERVICE, GET, _app(service_auth_401_redirect=True), Refuse(401, "service_auth_required", names_app=True)),
        (SERVICE, PREFLIGHT, _app(), Refuse(403, "preflight_denied", names_app=True)),
        (SERVICE, PREFLIGHT, _app(options_preflight_bypass=True), PassPreflight()),
        (SERVICE, GET, _app(custom_non_identity_deny_url="https://b.com/no"), RedirectTo("https://b.com/no")),
        (DENIED, GET, _app(), Refuse(403, "policy_denied", names_app=True)),
        (DENIED, JSON_ONLY, _app(), Refuse(403, "policy_denied", as_json=True, names_app=True)),
        (DENIED, BROWSER, _app(custom_deny_url="https://b.com/no"), RedirectTo("https://b.com/no")),
        (DENIED, PREFLIGHT, _app(options_preflight_bypass=True), Refuse(403, "policy_denied", names_app=True)),
    ],
)
def test_each_row(
    decision: LoginNeeded | ServiceAuthNeeded | PolicyDenied,
    fields: dict[str, str],
    application: Application,
    expected: Answer,
) -> None:
    kind = classify_request("OPTIONS" if fields is PREFLIGHT else "GET", Headers(fields))

    assert choose_answer(decision, kind, application) == expected


def test_strict_service_tokens_are_never_redirected() -> None:
    assert strict_refusal(authenticated=False).status == 401
    assert strict_refusal(authenticated=True).status == 403


def test_a_preflight_is_answered_by_the_settings() -> None:
    listed = dict(cors_fields(_app(cors_headers=CORS), "https://b.com", "PUT", "x-a"))
    other = dict(cors_fields(_app(cors_headers=CORS), "https://evil.com", "PUT", "x-a"))
    everyone: JSON = {"allow_all_origins": True, "allow_credentials": True, "allow_all_headers": True}
    all_origins = dict(cors_fields(_app(cors_headers=everyone), "https://evil.com", "PUT", "x-a"))

    assert listed["Access-Control-Allow-Origin"] == "https://b.com"
    assert listed["Access-Control-Allow-Credentials"] == "true"
    assert listed["Access-Control-Allow-Methods"] == "PUT"
    assert "Access-Control-Allow-Origin" not in other
    assert all_origins["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in all_origins
    assert all_origins["Access-Control-Allow-Headers"] == "x-a"
