"""The authorization request: parses it, and says which errors go to whom. Pure.

Rules: RFC 6749 section 4.1, RFC 7636, RFC 8707, RFC 9207, RFC 9700, OpenID Connect Core section 3.1.2. Until client and
redirect URI are verified, errors are shown to the person at the browser; afterwards they go to the client.
"""

import re
from dataclasses import dataclass
from typing import Final

from issuer import clients, digests, redirect_uris, resource_names
from issuer.clients import RegisteredClient
from issuer.form_parameters import Parameters
from issuer.settings import IssuerSettings
from issuer.token_request import allowed_resources, allowed_scope, requested_names

# The parameters that are read, and kept in the query of the pages that lead to the response. Others are ignored.
PARAMETERS: Final = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "response_mode", "nonce"),
    *("code_challenge", "code_challenge_method", "resource", "prompt", "max_age", "login_hint", "id_token_hint"),
    *("request", "request_uri", "registration"),
)

# May be sent several times (RFC 8707 section 2).
_REPEATABLE: Final = frozenset({"resource"})

RESPONSE_MODES: Final = ("query", "form_post")
PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})

MAX_VALUE_LENGTH: Final = 4096  # of state and nonce
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_MAX_AGE: Final = re.compile(r"[0-9]{1,10}")


class UntrustedRedirectError(Exception):
    """Client or redirect URI are not valid: the error is shown on a page of ours, and nothing is redirected."""


class AuthorizationError(Exception):
    """An error for the client, sent by redirect. `description` is printable ASCII without quote and backslash."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class ResponseTarget:
    """The client that asks, and where the response goes."""

    client: RegisteredClient
    redirect_uri: str
    redirect_uri_sent: bool
    response_mode: str
    state: str | None

    @property
    def form_sources(self) -> str:
        """For the content security policy of a page whose form may lead there."""
        client = self.client
        return redirect_uris.form_sources(self.redirect_uri, (*client.redirect_uris, *client.post_logout_redirect_uris))


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A valid request. `query` is its canonical text, and `digest` identifies it."""

    target: ResponseTarget
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
        return digests.digest(self.query)


@dataclass(frozen=True, slots=True)
class InvalidRequest:
    """A request of a verified client with an error. Unless the request is `silent`, the client gets the error after the
    user logged in: otherwise any registered client could use this server to redirect browsers (RFC 9700, 4.11.2).
    """

    target: ResponseTarget
    query: str
    error: AuthorizationError
    silent: bool

    @property
    def digest(self) -> str:
        return digests.digest(self.query)


PendingRequest = AuthorizationRequest | InvalidRequest


def client_id(parameters: Parameters) -> str:
    """Raises UntrustedRedirectError if there is not exactly one."""
    if parameters.repeated(["client_id"]):
        raise UntrustedRedirectError("The request names its app more than once.")
    named = parameters.get("client_id")
    if named is None:
        raise UntrustedRedirectError("The request does not say which app it comes from (client_id).")
    return named


def find_target(parameters: Parameters, client: RegisteredClient | None) -> ResponseTarget:
    """`client` is the registered one of `client_id(parameters)`, or None.

    Raises:
        UntrustedRedirectError: there is no such client, or the redirect URI is not one of the client's.
    """
    if client is None or client.disabled:
        raise UntrustedRedirectError("No app is registered here under this name (client_id).")
    if parameters.repeated(["redirect_uri"]):
        raise UntrustedRedirectError("The request names more than one address to return to (redirect_uri).")
    uri = parameters.get("redirect_uri")
    if uri is None:
        if len(client.redirect_uris) != 1 or not redirect_uris.match(client.redirect_uris[0], client.redirect_uris):
            raise UntrustedRedirectError("The request does not say which address to return to (redirect_uri).")
        uri, sent = client.redirect_uris[0], False
    elif redirect_uris.match(uri, client.redirect_uris):
        sent = True
    else:
        raise UntrustedRedirectError("The address to return to (redirect_uri) is not registered for this app.")
    is_web = uri.startswith(("https:", "http:"))
    by_form = parameters.get("response_mode") == "form_post" and is_web and not parameters.repeated(["response_mode"])
    return ResponseTarget(
        client,
        uri,
        sent,
        "form_post" if by_form else "query",
        # Of two states neither is echoed.
        None if parameters.repeated(["state"]) else parameters.get("state"),
    )


def parse(parameters: Parameters, target: ResponseTarget, settings: IssuerSettings) -> PendingRequest:
    try:
        return _parse_valid(parameters, target, settings)
    except AuthorizationError as error:
        silent = any("none" in value.split() for value in parameters.all("prompt"))
        return InvalidRequest(target, parameters.query(PARAMETERS), error, silent)


def _parse_valid(parameters: Parameters, target: ResponseTarget, settings: IssuerSettings) -> AuthorizationRequest:
    """Raises AuthorizationError with the first fault."""
    if repeated := parameters.repeated(name for name in PARAMETERS if name not in _REPEATABLE):
        raise AuthorizationError("invalid_request", f"{repeated[0]} was sent more than once")
    for name, error in (
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ):
        if parameters.get(name) is not None:
            raise AuthorizationError(error, f"{name} is not supported; send the parameters themselves")
    _check_response(parameters, target)
    for name in ("state", "nonce"):
        if len(parameters.get(name) or "") > MAX_VALUE_LENGTH:
            raise AuthorizationError("invalid_request", f"{name} is longer than {MAX_VALUE_LENGTH} characters")
    prompt = frozenset((parameters.get("prompt") or "").split())
    if not prompt <= PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise AuthorizationError("invalid_request", "prompt is none, or some of login, consent and select_account")
    max_age = parameters.get("max_age")
    if max_age is not None and not _MAX_AGE.fullmatch(max_age):
        raise AuthorizationError("invalid_request", "max_age is not a number of seconds")
    return AuthorizationRequest(
        target=target,
        query=parameters.query(PARAMETERS),
        scope=_scope(parameters, target.client, settings),
        resource=_resource(parameters, target.client, settings),
        nonce=parameters.get("nonce"),
        code_challenge=_challenge(parameters, target.client),
        prompt=prompt,
        max_age=None if max_age is None else int(max_age),
        login_hint=parameters.get("login_hint"),
        id_token_hint=parameters.get("id_token_hint"),
    )


def _check_response(parameters: Parameters, target: ResponseTarget) -> None:
    response_type = parameters.get("response_type")
    if response_type is None:
        raise AuthorizationError("invalid_request", "response_type is missing; it is code")
    if response_type != "code":
        raise AuthorizationError("unsupported_response_type", "response_type is code, nothing else")
    mode = parameters.get("response_mode")
    if mode not in (None, *RESPONSE_MODES):
        raise AuthorizationError("invalid_request", "response_mode is query or form_post")
    if mode == "form_post" and target.response_mode != mode:
        raise AuthorizationError("invalid_request", "response_mode form_post needs an http or https redirect_uri")
    if "authorization_code" not in target.client.grant_types:
        raise AuthorizationError("unauthorized_client", "this client may not use response_type code")


def _challenge(parameters: Parameters, client: RegisteredClient) -> str | None:
    """RFC 7636, only with S256: a missing method means plain, which protects against no one who reads the request."""
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise AuthorizationError("invalid_request", "code_challenge is missing, but its method is there")
        if client.require_pkce or client.is_public:
            raise AuthorizationError("invalid_request", "code_challenge is missing (PKCE, with method S256)")
        return None
    if method != "S256":
        raise AuthorizationError("invalid_request", "code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(challenge):
        raise AuthorizationError("invalid_request", "code_challenge is not 43 to 128 unreserved characters")
    return challenge


def _scope(parameters: Parameters, client: RegisteredClient, settings: IssuerSettings) -> tuple[str, ...]:
    """The default is all that is registered for the client (RFC 6749 section 3.3 leaves it to the server).

    Unknown scopes are ignored (OpenID Connect Core section 3.1.2.1).
    """
    allowed = allowed_scope(client, settings)
    names = requested_names(parameters.get("scope") or "")
    known = tuple(name for name in names if name in settings.scopes)
    if any(name not in allowed for name in known):
        raise AuthorizationError("invalid_scope", "a scope is not registered for this client")
    if names and not known:
        raise AuthorizationError("invalid_scope", "none of the scopes is known")
    return known or allowed


def _resource(parameters: Parameters, client: RegisteredClient, settings: IssuerSettings) -> tuple[str, ...]:
    names = parameters.all("resource")
    found = resource_names.find_all(names, allowed_resources(client, settings))
    if found is None or not all(clients.is_resource(name) for name in names):
        raise AuthorizationError("invalid_target", "a resource is not known, or not registered for this client")
    return found
