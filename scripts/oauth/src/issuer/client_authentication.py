"""Authenticates a client with exactly one method, the registered one (RFC 6749 section 2.3, RFC 7523)."""

import base64
import binascii
import logging
from dataclasses import dataclass
from typing import Final

from client_network import network_of
from issuer import clients, digests, form_parameters, signing
from issuer.clients import RegisteredClient
from issuer.endpoint_context import EndpointContext
from issuer.form_parameters import BadParameters, Parameters
from issuer.json_responses import OAuthError
from issuer.token_request import require

_log = logging.getLogger("oauth")

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MAX_ASSERTION_SECONDS: Final = 600
_SKEW_SECONDS: Final = 30

# Its secret is compared if the client is unknown, so that this takes as long as with a wrong secret.
_UNKNOWN_CLIENT: Final = RegisteredClient(
    "unknown", secret_hashes=(clients.hash_secret("the secret of an unknown client"),)
)


class ClientAuthenticationError(OAuthError):
    """invalid_client. It always has a challenge: a 401 must have one (RFC 9110 section 15.5.2)."""

    def __init__(self, detail: str = "Client authentication failed") -> None:
        super().__init__("invalid_client", detail, status=401, challenge="Basic")


@dataclass(frozen=True, slots=True)
class _Credentials:
    method: str
    client_id: str
    secret: str | None = None
    assertion: str | None = None


async def authenticate(context: EndpointContext, parameters: Parameters) -> RegisteredClient:
    """The client of the request.

    Raises:
        ClientAuthenticationError
        OAuthError: the request uses two methods, or there were too many failures.
    """
    request = context.request
    found = _credentials(request.authorization, parameters)
    name = f"{network_of(request.address)} {digests.digest(found.client_id)}"
    if wait := context.failures.seconds_to_wait(name, now=request.now):
        raise OAuthError("temporarily_unavailable", "Too many failed attempts", status=429, retry_after_seconds=wait)
    client = await context.storage.client(found.client_id)
    if client is None or not await _matches(context, client, found):
        if client is None and found.secret is not None:
            clients.secret_matches(_UNKNOWN_CLIENT, found.secret)
        context.failures.count(name, now=request.now)
        raise ClientAuthenticationError
    return client


async def _matches(context: EndpointContext, client: RegisteredClient, found: _Credentials) -> bool:
    if found.secret is not None:
        known = clients.secret_matches(client, found.secret)
    elif found.assertion is not None:
        known = await _is_valid_assertion(context, client, found.assertion)
    else:
        known = True
    return known and not client.disabled and client.token_endpoint_auth_method == found.method


def _credentials(authorization: str | None, parameters: Parameters) -> _Credentials:
    has_secret = parameters.get("client_secret") is not None
    has_assertion = parameters.get("client_assertion") is not None
    if (authorization is not None) + has_secret + has_assertion > 1:
        raise OAuthError("invalid_request", "Use one method of client authentication only")
    client_id = parameters.get("client_id")
    if authorization is not None:
        found = _basic_credentials(authorization)
        if client_id not in (None, found.client_id):
            raise OAuthError("invalid_request", "The client_id in the body is not the one in Authorization")
        return found
    if has_assertion:
        return _assertion_credentials(parameters)
    if client_id is None:
        raise ClientAuthenticationError("Client authentication is needed")
    if has_secret:
        return _Credentials("client_secret_post", client_id, secret=parameters.get("client_secret"))
    return _Credentials("none", client_id)


def _basic_credentials(authorization: str) -> _Credentials:
    """Id and secret are form-encoded, then base64 (RFC 6749 section 2.3.1)."""
    malformed = ClientAuthenticationError("The Authorization field is malformed")
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise malformed
    try:
        content = base64.b64decode(credentials.strip(" ").encode("ascii"), validate=True)
        name, colon, secret = content.partition(b":")
        if not colon or not name:
            raise malformed
        return _Credentials("client_secret_basic", form_parameters.decode(name), secret=form_parameters.decode(secret))
    except (ValueError, binascii.Error, BadParameters):
        raise malformed from None


def _assertion_credentials(parameters: Parameters) -> _Credentials:
    """The client that an assertion names; nothing of it is trusted before the signature is checked."""
    assertion = require(parameters, "client_assertion")
    if parameters.get("client_assertion_type") != ASSERTION_TYPE:
        raise OAuthError("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
    try:
        subject = signing.unverified_claims(assertion).get("sub")
    except signing.BadToken:
        subject = None
    if not isinstance(subject, str) or not subject or parameters.get("client_id") not in (None, subject):
        raise ClientAuthenticationError
    return _Credentials("private_key_jwt", subject, assertion=assertion)


async def _is_valid_assertion(context: EndpointContext, client: RegisteredClient, assertion: str) -> bool:
    settings, now = context.settings, context.request.now
    if client.jwks is None:
        return False
    try:
        claims = signing.claims_of_client(assertion, client.jwks)
    except signing.BadToken as error:
        _log.info("an assertion of client %r is refused: %s", client.client_id, error)
        return False
    expires, issued, jti = claims.get("exp"), claims.get("nbf", claims.get("iat", now)), claims.get("jti")
    # The audience is one string, not a list: an assertion meant for other servers too could be used here by them.
    if not (
        claims.get("iss") == claims.get("sub") == client.client_id
        and claims.get("aud") in (settings.issuer, settings.url("/token"))
        and isinstance(expires, int | float)
        and not isinstance(expires, bool)
        and now < expires <= now + _MAX_ASSERTION_SECONDS
        and isinstance(issued, int | float)
        and not isinstance(issued, bool)
        and issued <= now + _SKEW_SECONDS
        and isinstance(jti, str)
        and 0 < len(jti) <= 256
    ):
        return False
    name = digests.digest_of_parts("assertion", client.client_id, jti)
    return await context.storage.is_new(name, int(expires - now) + 1)
