"""What the edge answers to a request that Access does not let through. Pure.

One function of what the policies decided and of how the request was made; its table is tested row by row.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

from edgeworker.messages import Headers
from edgeworker.products.access.config import Application
from edgeworker.products.access.policy import LoginNeeded, PolicyDenied, ServiceAuthNeeded

Reason = Literal[
    "policy_denied",  # someone is known, and no policy allows it
    "service_auth_required",  # only service tokens and the like open this application
    "login_required",  # a login would help, but this request cannot be redirected to one
    "oauth_required",
    "preflight_denied",
    "websocket_denied",
    "service_token_invalid",
    "service_token_denied",
    "service_token_malformed",
    "unmatched",  # the organization protects hosts without an application
]

_JSON: Final = re.compile(r"(?:^|,)[ \t]*application/json[ \t]*(?:[;,]|$)", re.IGNORECASE)
_HTML: Final = re.compile(r"(?:^|,)[ \t]*(?:text/html|application/xhtml\+xml)[ \t]*(?:[;,]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RequestKind:
    """How a request was made, as far as an answer depends on it."""

    is_xhr: bool = False
    wants_json: bool = False
    is_browser: bool = False  # it asks for a page
    is_websocket: bool = False
    is_preflight: bool = False


@dataclass(frozen=True, slots=True)
class RedirectToLogin:
    """302 to the team domain."""


@dataclass(frozen=True, slots=True)
class RedirectTo:
    """302 to an address that the application has for those who are denied."""

    url: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """A page (or JSON) of ours. `challenge` adds WWW-Authenticate, `names_app` the cf-access-aud and -domain fields,
    `cors` what lets a script of the page read that it has to log in."""

    status: int
    reason: Reason
    as_json: bool = False
    challenge: Literal["", "access", "oauth"] = ""
    names_app: bool = False
    cors: bool = False


@dataclass(frozen=True, slots=True)
class AnswerPreflight:
    """204 with the CORS fields of the application's settings."""


@dataclass(frozen=True, slots=True)
class PassPreflight:
    """To the origin, without any identity."""


Answer = RedirectToLogin | RedirectTo | Refuse | AnswerPreflight | PassPreflight


def classify_request(method: str, headers: Headers) -> RequestKind:
    accept = headers.get("accept") or ""
    return RequestKind(
        is_xhr=(headers.get("x-requested-with") or "").lower() == "xmlhttprequest",
        wants_json=_JSON.search(accept) is not None,
        is_browser=_HTML.search(accept) is not None,
        is_websocket=(headers.get("upgrade") or "").lower() == "websocket",
        is_preflight=method == "OPTIONS" and headers.has("origin") and headers.has("access-control-request-method"),
    )


def choose_answer(
    decision: LoginNeeded | ServiceAuthNeeded | PolicyDenied, kind: RequestKind, application: Application
) -> Answer:
    if kind.is_preflight and not isinstance(decision, PolicyDenied):
        if application.options_preflight_bypass:
            return PassPreflight()
        if application.cors is not None:
            return AnswerPreflight()
        return Refuse(403, "preflight_denied", names_app=True)
    match decision:
        case LoginNeeded():
            return _answer_login(kind, application)
        case ServiceAuthNeeded():
            if application.custom_non_identity_deny_url:
                return RedirectTo(application.custom_non_identity_deny_url)
            status = 401 if application.service_auth_401 else 403
            return Refuse(status, "service_auth_required", as_json=kind.wants_json, names_app=True)
        case PolicyDenied():
            if application.custom_deny_url and kind.is_browser:
                return RedirectTo(application.custom_deny_url)
            return Refuse(403, "policy_denied", as_json=kind.wants_json and not kind.is_browser, names_app=True)


def _answer_login(kind: RequestKind, application: Application) -> Answer:
    if application.oauth is not None and not kind.is_browser:
        return Refuse(401, "oauth_required", as_json=True, challenge="oauth")
    if kind.is_xhr:
        return Refuse(401, "login_required", challenge="access", cors=True)
    # `Accept: application/json`, Sec-Fetch-Mode and a WebSocket's upgrade change nothing on their own.
    return RedirectToLogin()


def strict_refusal(*, authenticated: bool, malformed: bool = False) -> Refuse:
    """Strict service tokens: 401 for an invalid token, 403 for a valid one that no policy accepts; never a login."""
    if authenticated:
        return Refuse(403, "service_token_denied", as_json=True, names_app=True)
    reason: Reason = "service_token_malformed" if malformed else "service_token_invalid"
    return Refuse(401, reason, as_json=True, names_app=True)


def cors_fields(application: Application, origin: str, method: str, asked_headers: str) -> list[tuple[str, str]]:
    """The answer to a preflight; no Access-Control-Allow-Origin where the settings do not name the origin."""
    cors = application.cors
    if cors is None:
        return []
    fields = [("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")]
    listed = origin in cors.allowed_origins
    if not (listed or cors.allow_all_origins or "*" in cors.allowed_origins):
        return fields
    # With credentials a browser takes no "*"; and every site would be named then, so only listed ones get both.
    fields.append(("Access-Control-Allow-Origin", origin if listed else "*"))
    if cors.allow_credentials and listed:
        fields.append(("Access-Control-Allow-Credentials", "true"))
    methods = method if cors.allow_all_methods else ", ".join(cors.allowed_methods)
    if methods:
        fields.append(("Access-Control-Allow-Methods", methods))
    headers = asked_headers if cors.allow_all_headers else ", ".join(cors.allowed_headers)
    if headers:
        fields.append(("Access-Control-Allow-Headers", headers))
    if cors.max_age is not None and cors.max_age >= 0:
        fields.append(("Access-Control-Max-Age", str(cors.max_age)))
    return fields
