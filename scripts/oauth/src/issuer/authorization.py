"""The authorization request: what is wrong with it, whom to tell, and what has to happen before it is granted. Pure.

Rules: RFC 6749 section 4.1, RFC 7636, RFC 8707, RFC 9207, RFC 9700, OpenID Connect Core section 3.1.2. Until client and
redirect URI are proven, whatever is wrong is told to the person at the browser; after that, to the client.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from issuer import clients, hashes, redirects
from issuer.clients import Client
from issuer.forms import Fields
from issuer.sessions import Consent, Session
from issuer.settings import Settings

# What is read of a request, and kept in the query of the pages that lead to its answer. All else is ignored.
PARAMETERS: Final = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "response_mode", "nonce"),
    *("code_challenge", "code_challenge_method", "resource", "prompt", "max_age", "login_hint", "id_token_hint"),
    *("request", "request_uri", "registration"),
)

# May be there several times (RFC 8707 section 2).
_MANY: Final = frozenset({"resource"})

RESPONSE_MODES: Final = ("query", "form_post")
PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})

# A login, or the choice of an account, counts for the request that it was made for, and as long.
FRESH_SECONDS: Final = 600

MAX_VALUE_LENGTH: Final = 4096  # of state and nonce
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_MAX_AGE: Final = re.compile(r"[0-9]{1,10}")


class Unproven(Exception):
    """Client or redirect URI cannot be believed: a page of our own says so, and nothing is redirected."""


class Refused(Exception):
    """Told to the client, by redirect. `description` is printable ASCII without quote and backslash."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Target:
    """Who asks, and where the answer goes."""

    client: Client
    redirect_uri: str
    redirect_uri_sent: bool
    response_mode: str
    state: str | None

    @property
    def form_sources(self) -> str:
        """For the policy of a page with a form whose answer goes there."""
        client = self.client
        return redirects.form_sources(self.redirect_uri, (*client.redirect_uris, *client.post_logout_redirect_uris))


@dataclass(frozen=True, slots=True)
class Ask:
    """A request in which nothing is wrong. `query` is its canonical text; `digest` stands for it."""

    target: Target
    query: str
    scope: tuple[str, ...]
    resource: tuple[str, ...]
    nonce: str | None
    code_challenge: str | None
    prompt: frozenset[str]
    max_age: int | None
    login_hint: str | None
    id_token_hint: str | None

    @property
    def digest(self) -> str:
        return hashes.digest(self.query)


def client_id(fields: Fields) -> str:
    """Raises Unproven where there is not exactly one."""
    if fields.repeated(["client_id"]):
        raise Unproven("The request names its app more than once.")
    named = fields.get("client_id")
    if named is None:
        raise Unproven("The request does not say which app it comes from (client_id).")
    return named


def target(fields: Fields, client: Client | None) -> Target:
    """`client` is the registered one of `client_id(fields)`, or None.

    Raises:
        Unproven: no such client, or a redirect URI that is not one of its own.
    """
    if client is None or client.disabled:
        raise Unproven("No app is registered here under this name (client_id).")
    if fields.repeated(["redirect_uri"]):
        raise Unproven("The request names more than one address to return to (redirect_uri).")
    uri = fields.get("redirect_uri")
    if uri is None:
        if len(client.redirect_uris) != 1 or not redirects.match(client.redirect_uris[0], client.redirect_uris):
            raise Unproven("The request does not say which address to return to (redirect_uri).")
        uri, sent = client.redirect_uris[0], False
    elif redirects.match(uri, client.redirect_uris):
        sent = True
    else:
        raise Unproven("The address to return to (redirect_uri) is not registered for this app.")
    mode = fields.get("response_mode")
    is_web = uri.startswith(("https:", "http:"))
    known = mode == "form_post" and is_web and not fields.repeated(["response_mode"])
    return Target(
        client,
        uri,
        sent,
        "form_post" if known else "query",
        # Of two states neither is echoed.
        None if fields.repeated(["state"]) else fields.get("state"),
    )


def read(fields: Fields, to: Target, settings: Settings) -> Ask:
    """Everything beside client and redirect URI.

    Raises:
        Refused: the first thing that is wrong.
    """
    if repeated := fields.repeated(name for name in PARAMETERS if name not in _MANY):
        raise Refused("invalid_request", f"{repeated[0]} was sent more than once")
    for name, error in (
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ):
        if fields.get(name) is not None:
            raise Refused(error, f"{name} is not supported; send the parameters themselves")
    _check_response(fields, to)
    for name in ("state", "nonce"):
        if len(fields.get(name) or "") > MAX_VALUE_LENGTH:
            raise Refused("invalid_request", f"{name} is longer than {MAX_VALUE_LENGTH} characters")
    prompt = frozenset((fields.get("prompt") or "").split())
    if not prompt <= PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise Refused("invalid_request", "prompt is none, or some of login, consent and select_account")
    max_age = fields.get("max_age")
    if max_age is not None and not _MAX_AGE.fullmatch(max_age):
        raise Refused("invalid_request", "max_age is not a number of seconds")
    return Ask(
        target=to,
        query=fields.query(PARAMETERS),
        scope=_scope(fields, to.client, settings),
        resource=_resource(fields, to.client, settings),
        nonce=fields.get("nonce"),
        code_challenge=_challenge(fields, to.client),
        prompt=prompt,
        max_age=None if max_age is None else int(max_age),
        login_hint=fields.get("login_hint"),
        id_token_hint=fields.get("id_token_hint"),
    )


def _check_response(fields: Fields, to: Target) -> None:
    response_type = fields.get("response_type")
    if response_type is None:
        raise Refused("invalid_request", "response_type is missing; it is code")
    if response_type != "code":
        raise Refused("unsupported_response_type", "response_type is code, nothing else")
    mode = fields.get("response_mode")
    if mode not in (None, *RESPONSE_MODES):
        raise Refused("invalid_request", "response_mode is query or form_post")
    if mode == "form_post" and to.response_mode != mode:
        raise Refused("invalid_request", "response_mode form_post needs an http or https redirect_uri")
    if "authorization_code" not in to.client.grant_types:
        raise Refused("unauthorized_client", "this client may not use response_type code")


def _challenge(fields: Fields, client: Client) -> str | None:
    """RFC 7636 with S256 alone: a method that is missing means plain, which who reads the request can answer."""
    challenge, method = fields.get("code_challenge"), fields.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise Refused("invalid_request", "code_challenge is missing, but its method is there")
        if client.require_pkce or client.is_public:
            raise Refused("invalid_request", "code_challenge is missing (PKCE, with method S256)")
        return None
    if method != "S256":
        raise Refused("invalid_request", "code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(challenge):
        raise Refused("invalid_request", "code_challenge is not 43 to 128 unreserved characters")
    return challenge


def _scope(fields: Fields, client: Client, settings: Settings) -> tuple[str, ...]:
    """Without one, all that is registered for the client (RFC 6749 section 3.3 leaves the default to the server)."""
    asked = fields.get("scope")
    scope = client.scope if asked is None else tuple(dict.fromkeys(asked.split(" ")))
    allowed = [name for name in client.scope if name in settings.scopes]
    if not all(name in allowed for name in scope):
        raise Refused("invalid_scope", "a scope is not known, or not registered for this client")
    return scope


def _resource(fields: Fields, client: Client, settings: Settings) -> tuple[str, ...]:
    resource = tuple(dict.fromkeys(fields.all("resource")))
    allowed = client.resources or settings.resources
    if not all(clients.is_resource(name) and name in allowed and name in settings.resources for name in resource):
        raise Refused("invalid_target", "a resource is not known, or not registered for this client")
    return resource


@dataclass(frozen=True, slots=True)
class Login:
    """The user has to log in."""


@dataclass(frozen=True, slots=True)
class ChooseAccount:
    """The user has to say which account this is for."""


@dataclass(frozen=True, slots=True)
class AskConsent:
    """The user has to be asked."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A code can be given."""


Decision = Login | ChooseAccount | AskConsent | Grant


def decide(ask: Ask, session: Session | None, consent: Consent, hinted: str | None, *, now: int) -> Decision:
    """What has to happen next.

    `hinted` is the `sub` of the request's id_token_hint; empty for a hint that nobody can verify, None without one.

    Raises:
        Refused: it has to happen, and prompt=none forbids it.
    """
    silent = "none" in ask.prompt
    if silent and hinted == "":
        raise Refused("login_required", "the id_token_hint is none of this issuer")
    if session is None or needs_login(ask, session, now=now):
        if silent:
            raise Refused("login_required", "the user has to log in")
        return Login()
    if hinted and hinted != session.user_id:
        # Who has just logged in as somebody else would do so again.
        if silent or _is_fresh(ask, session, now=now):
            raise Refused("login_required", "the user of the id_token_hint is not the one who is logged in")
        return Login()
    if "select_account" in ask.prompt and session.account_for != ask.digest:
        return ChooseAccount()
    if needs_consent(ask, consent):
        if silent:
            raise Refused("consent_required", "the user has to consent")
        return AskConsent()
    return Grant()


def needs_login(ask: Ask, session: Session, *, now: int) -> bool:
    """prompt=login and max_age: a login for this very request, moments ago, is enough."""
    if _is_fresh(ask, session, now=now):
        return False
    return "login" in ask.prompt or (ask.max_age is not None and now - session.auth_time >= ask.max_age)


def _is_fresh(ask: Ask, session: Session, *, now: int) -> bool:
    return session.login_for == ask.digest and now < session.auth_time + FRESH_SECONDS


def needs_consent(ask: Ask, consent: Consent) -> bool:
    client = ask.target.client
    if "consent" in ask.prompt:
        return True
    if client.consent == "skip":
        return False
    return not (is_remembered(ask) and consent.covers(ask.scope, ask.resource))


def is_remembered(ask: Ask) -> bool:
    """Anybody can be a public client that no https address proves, so it has to ask each time (RFC 8252, 8.6)."""
    return not ask.target.client.is_public or ask.target.redirect_uri.startswith("https:")


def used(session: Session, ask: Ask) -> Session:
    """The session after its login was used for `ask`: the next request with prompt=login asks again."""
    if ask.digest not in (session.login_for, session.account_for):
        return session
    return replace(session, login_for="", account_for="")


def chosen(session: Session, ask: Ask) -> Session:
    """The session after its user said that `ask` is for this account."""
    return replace(session, account_for=ask.digest)
