"""/introspect (RFC 7662), also as a JWT (RFC 9701)."""

from typing import Final

from issuer import accept_field, end_marks, keys, refresh_tokens, signing
from issuer.bearer_token import find_valid
from issuer.client_authentication import ClientAuthenticationError
from issuer.clients import RegisteredClient
from issuer.endpoint_context import EndpointContext
from issuer.endpoint_response import NO_STORE, EndpointResponse
from issuer.form_parameters import Parameters
from issuer.json_responses import json_response
from issuer.records import Family
from issuer.redirect_uris import match
from issuer.token_request import allowed_scope, require

MAX_TOKEN_LENGTH: Final = 8192
_JWT_TYPES: Final = ("application/token-introspection+jwt", "application/jwt")
_INACTIVE: Final[dict[str, object]] = {"active": False}


async def introspect(context: EndpointContext, parameters: Parameters, client: RegisteredClient) -> EndpointResponse:
    """What is known of a token, for the client that it was issued to and for the API that it is meant for."""
    if client.is_public:
        raise ClientAuthenticationError("Client authentication is needed")
    document = await _introspect(context, require(parameters, "token"), client)
    accepted = _accepted_jwt_type(context.request.accept)
    if accepted is None:
        return json_response(document)
    now = context.request.now
    key = keys.signer(context.key_set, client.id_token_signed_response_alg, now=now)
    claims = {"iss": context.settings.issuer, "aud": client.client_id, "iat": now, "token_introspection": document}
    text = signing.sign(claims, key, "token-introspection+jwt")
    return EndpointResponse(200, text, (("content-type", accepted), ("vary", "Accept"), *NO_STORE))


async def _introspect(context: EndpointContext, token: str, client: RegisteredClient) -> dict[str, object]:
    if len(token) > MAX_TOKEN_LENGTH:
        return _INACTIVE
    family = await find_family(context, token)
    if family is not None:
        return await _introspect_refresh_token(context, family, token, client)
    record = await find_valid(context, token)
    if record is None or not (
        record.client_id == client.client_id or not set(client.audience).isdisjoint(record.audience)
    ):
        return _INACTIVE
    document: dict[str, object] = {
        "active": True,
        "client_id": record.client_id,
        "token_type": "Bearer",
        "exp": record.expires_at,
        "iat": record.issued_at,
        "nbf": record.issued_at,
        "sub": record.sub,
        "aud": record.audience[0] if len(record.audience) == 1 else list(record.audience),
        "iss": context.settings.issuer,
        "jti": record.jti,
    }
    if record.scope:
        document["scope"] = " ".join(record.scope)
    if record.user_id is not None:
        user = await context.storage.user_by_id(record.user_id)
        if user is None or user.disabled:
            return _INACTIVE
        if "email" in record.scope:
            document["username"] = user.email
    return document


async def _introspect_refresh_token(
    context: EndpointContext, family: Family, token: str, client: RegisteredClient
) -> dict[str, object]:
    """A refresh token concerns its client only. It is active if a refresh would succeed now."""
    now = context.request.now
    if (
        family.client_id != client.client_id
        or not end_marks.is_of(family.epoch, client.registration)
        or not refresh_tokens.is_current(token, family)
        or now >= min(family.expires_at, family.absolute_expires_at)
        or "refresh_token" not in client.grant_types
        or (family.redirect_uri is not None and not match(family.redirect_uri, client.redirect_uris))
    ):
        return _INACTIVE
    user = await context.storage.user_by_id(family.user_id)
    if user is None or user.disabled or await context.storage.is_void(family.user_id, family.epoch):
        return _INACTIVE
    scope = [name for name in family.scope if name in allowed_scope(client, context.settings)]
    if family.scope and not scope:
        return _INACTIVE
    return {
        "active": True,
        "scope": " ".join(scope),
        "client_id": family.client_id,
        "exp": family.expires_at,
        "iat": family.rotated_at,
        "sub": family.user_id,
        "iss": context.settings.issuer,
    }


async def find_family(context: EndpointContext, token: str) -> Family | None:
    """The family of a refresh token that was really issued, else None."""
    grant_id = refresh_tokens.grant_of(token)
    family = None if grant_id is None else await context.storage.family(grant_id)
    return family if family is not None and refresh_tokens.was_issued(token, family) else None


def _accepted_jwt_type(accept: str | None) -> str | None:
    """The JWT type that the client asks for by name; None for JSON."""
    json_quality = accept_field.quality(accept, "application/json")
    for name in _JWT_TYPES:
        if 0 < accept_field.quality(accept, name, wildcards=False) >= json_quality:
            return name
    return None
