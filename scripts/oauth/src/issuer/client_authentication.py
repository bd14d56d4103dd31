"""Which client asks: exactly one method, the one that is registered (RFC 6749 section 2.3, RFC 7523)."""

import base64
import binascii
import logging

from issuer import clients, hashes, signing, token_forms
from issuer.refusals import Refused

_log = logging.getLogger("oauth")

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_MAX_ASSERTION_SECONDS = 600
_SKEW_SECONDS = 30

# An unknown client costs as much time as one with a wrong secret.
_NOBODY = clients.Client("nobody", secret_hashes=(clients.hash_secret("nobody's secret"),))


async def authenticate(asked, form, storage, settings, *, failures):
    """The client. `failures` brakes who guesses.

    Raises:
        Refused: 401 invalid_client, or 400 invalid_request for a request that uses two methods.
    """
    basic = asked.authorization is not None
    has_secret, has_assertion = form.get("client_secret") is not None, form.get("client_assertion") is not None
    if basic + has_secret + has_assertion > 1:
        raise Refused("invalid_request", "Use one method of client authentication only")
    challenge = "Basic" if basic else None
    client_id = secret = assertion = None
    if basic:
        method = "client_secret_basic"
        client_id, secret = _basic(asked.authorization)
        if form.get("client_id") not in (None, client_id):
            raise Refused("invalid_request", "The client_id in the body is another one than in Authorization")
    elif has_assertion:
        method = "private_key_jwt"
        client_id, assertion = _of_assertion(form)
    else:
        method = "client_secret_post" if has_secret else "none"
        client_id, secret = form.get("client_id"), form.get("client_secret")
        if client_id is None:
            raise Refused("invalid_client", "Client authentication is needed", status=401, challenge="Basic")
    if wait := failures.seconds_to_wait(_who(asked, client_id), now=asked.now):
        raise Refused("invalid_client", "Too many failed attempts", status=429, retry_after_seconds=wait)
    client = await storage.client(client_id)
    if not await _fits(client, method, secret, assertion, storage, settings, asked.now):
        failures.count(_who(asked, client_id), now=asked.now)
        raise Refused("invalid_client", "Client authentication failed", status=401, challenge=challenge)
    return client


async def _fits(client, method, secret, assertion, storage, settings, now):
    if secret is not None:
        known = clients.secret_matches(_NOBODY if client is None else client, secret)
    elif assertion is not None:
        known = client is not None and await _is_signed(client, assertion, storage, settings, now)
    else:
        known = True
    return known and client is not None and not client.disabled and client.token_endpoint_auth_method == method


def _who(asked, client_id):
    return f"{asked.address} {hashes.digest(client_id)}"


def _basic(authorization):
    """(client id, secret): both are form-encoded before base64 (RFC 6749 section 2.3.1)."""
    refused = Refused("invalid_client", "The Authorization field is malformed", status=401, challenge="Basic")
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise refused
    try:
        content = base64.b64decode(credentials.strip(" ").encode("ascii"), validate=True)
        name, colon, secret = content.partition(b":")
        if not colon or not name:
            raise refused
        return token_forms.decoded(name), token_forms.decoded(secret)
    except (ValueError, binascii.Error, Refused):
        raise refused from None


def _of_assertion(form):
    """(client id, assertion); who it claims to be is believed after the signature only."""
    assertion = form.required("client_assertion")
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise Refused("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
    try:
        subject = signing.unverified_claims(assertion).get("sub")
    except signing.BadToken:
        subject = None
    if not isinstance(subject, str) or not subject or form.get("client_id") not in (None, subject):
        raise Refused("invalid_client", "Client authentication failed", status=401)
    return subject, assertion


async def _is_signed(client, assertion, storage, settings, now):
    if client.jwks is None:
        return False
    try:
        claims = signing.claims_of_client(assertion, client.jwks)
    except signing.BadToken as error:
        _log.info("an assertion of client %r is refused: %s", client.client_id, error)
        return False
    expires, issued, jti = claims.get("exp"), claims.get("nbf", claims.get("iat", now)), claims.get("jti")
    good = (
        claims.get("iss") == claims.get("sub") == client.client_id
        # One text, not a list: an assertion that is also meant for others could be used here by them.
        and claims.get("aud") in (settings.issuer, settings.url("/token"))
        and _is_moment(expires)
        and now < expires <= now + _MAX_ASSERTION_SECONDS
        and _is_moment(issued)
        and issued <= now + _SKEW_SECONDS
        and isinstance(jti, str)
        and 0 < len(jti) <= 256
    )
    if not good:
        return False
    name = hashes.joined("assertion", client.client_id, jti)
    return await storage.is_new(name, int(expires - now) + 1)


def _is_moment(value):
    return type(value) in (int, float)
