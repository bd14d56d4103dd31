"""Decides what must happen before an authorization request is granted: login, choice of an account, consent. Pure."""

from dataclasses import dataclass, replace
from typing import Final

from issuer.authorization_request import AuthorizationError, AuthorizationRequest
from issuer.sessions import Consent, LoginSession

# A login, or the choice of an account, counts for the request that it was made for, for this time.
FRESH_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class AskForLogin:
    """The user must log in."""


@dataclass(frozen=True, slots=True)
class AskForAccount:
    """The user must say which account this is for."""


@dataclass(frozen=True, slots=True)
class AskForConsent:
    """The user must be asked for consent."""


@dataclass(frozen=True, slots=True)
class GrantCode:
    """The client gets a code."""


Decision = AskForLogin | AskForAccount | AskForConsent | GrantCode


def decide(
    request: AuthorizationRequest, session: LoginSession | None, consent: Consent, hinted: str | None, *, now: int
) -> Decision:
    """What must happen next.

    `hinted` is the `sub` of the request's id_token_hint; empty for a hint that cannot be verified, None without one.

    Raises:
        AuthorizationError: it must happen, and prompt=none forbids it.
    """
    silent = "none" in request.prompt
    if silent and hinted == "":
        raise AuthorizationError("login_required", "the id_token_hint cannot be verified as one of this issuer")
    if session is None or needs_login(request, session, now=now):
        if silent:
            raise AuthorizationError("login_required", "the user has to log in")
        return AskForLogin()
    if hinted and hinted != session.user_id:
        # A user who just logged in as someone else would do so again.
        if silent or _is_fresh(request, session, now=now):
            raise AuthorizationError("login_required", "the user of the id_token_hint is not the one who is logged in")
        return AskForLogin()
    if "select_account" in request.prompt and session.account_for != request.digest:
        return AskForAccount()
    if needs_consent(request, consent):
        if silent:
            raise AuthorizationError("consent_required", "the user has to consent")
        return AskForConsent()
    return GrantCode()


def needs_login(request: AuthorizationRequest, session: LoginSession, *, now: int) -> bool:
    """prompt=login and max_age; a login for this very request, moments ago, satisfies both."""
    if _is_fresh(request, session, now=now):
        return False
    return "login" in request.prompt or (request.max_age is not None and now - session.auth_time >= request.max_age)


def _is_fresh(request: AuthorizationRequest, session: LoginSession, *, now: int) -> bool:
    return session.login_for == request.digest and now < session.auth_time + FRESH_SECONDS


def needs_consent(request: AuthorizationRequest, consent: Consent) -> bool:
    client = request.target.client
    if "consent" in request.prompt:
        return True
    if client.consent == "skip":
        return False
    return not (is_remembered(request) and consent.covers(request.scope, request.resource))


def is_remembered(request: AuthorizationRequest) -> bool:
    """Without an https redirect URI anyone can pretend to be a public client, so it asks each time (RFC 8252, 8.6)."""
    return not request.target.client.is_public or request.target.redirect_uri.startswith("https:")


def after_use(session: LoginSession, request: AuthorizationRequest) -> LoginSession:
    """The session after `request` used its login: the next request with prompt=login asks again."""
    if request.digest not in (session.login_for, session.account_for):
        return session
    return replace(session, login_for="", account_for="")


def with_chosen_account(session: LoginSession, request: AuthorizationRequest) -> LoginSession:
    """The session after its user chose this account for `request`."""
    return replace(session, account_for=request.digest)
