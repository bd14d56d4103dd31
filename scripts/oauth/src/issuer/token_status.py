"""Revocation (RFC 7009) and introspection (RFC 7662, as a JWT: RFC 9701)."""

import json

from issuer import bearer, families, keys, refusals, signing
from issuer.refusals import NO_STORE, Answer, Refused

_MAX_TOKEN_LENGTH = 8192
_JWT_TYPES = ("application/token-introspection+jwt", "application/jwt")


async def revoke(server, form, client):
    """200 also for a token that is unknown or another client's: then nothing happens."""
    token = form.required("token")
    storage = server.storage
    if len(token) > _MAX_TOKEN_LENGTH:
        return _done()
    family = await _family(storage, token)
    if family is not None:
        if family.client_id == client.client_id:
            await storage.revoke(family.grant_id, family.user_id)
        return _done()
    record = await storage.access(token)
    if record is not None and record.client_id == client.client_id:
        await storage.drop_access(token, record)
    return _done()


async def introspect(server, form, client):
    """What is known of a token, for the client that it was issued to and for the API that it is meant for."""
    if client.is_public:
        raise Refused("invalid_client", "Client authentication is needed", status=401, challenge="Basic")
    document = await _introspected(server, form.required("token"), client)
    accepted = _accepted(server.asked.accept)
    if accepted is None:
        return refusals.answer(document)
    now = server.asked.now
    key = keys.signer(server.ring, client.id_token_signed_response_alg, now=now)
    claims = {"iss": server.settings.issuer, "aud": client.client_id, "iat": now, "token_introspection": document}
    text = signing.sign(claims, key, "token-introspection+jwt")
    return Answer(200, [("content-type", accepted), ("vary", "Accept"), *NO_STORE], text)


async def _introspected(server, token, client):
    inactive = {"active": False}
    if len(token) > _MAX_TOKEN_LENGTH:
        return inactive
    family = await _family(server.storage, token)
    if family is not None:
        return _of_family(family, token, client, server)
    record = await bearer.valid(server, token)
    if record is None or not (
        record.client_id == client.client_id or not set(client.audience).isdisjoint(record.audience)
    ):
        return inactive
    document = {
        "active": True,
        "client_id": record.client_id,
        "token_type": "Bearer",
        "exp": record.expires_at,
        "iat": record.issued_at,
        "nbf": record.issued_at,
        "sub": record.sub,
        "aud": record.audience[0] if len(record.audience) == 1 else list(record.audience),
        "iss": server.settings.issuer,
        "jti": record.jti,
    }
    if record.scope:
        document["scope"] = " ".join(record.scope)
    if record.user_id is not None:
        user = await server.storage.user_by_id(record.user_id)
        if user is None or user.disabled:
            return inactive
        if "email" in record.scope:
            document["username"] = user.email
    return document


def _of_family(family, token, client, server):
    """A refresh token concerns nobody but its client."""
    now = server.asked.now
    if family.client_id != client.client_id or not families.is_current(token, family) or now >= family.expires_at:
        return {"active": False}
    return {
        "active": True,
        "scope": " ".join(family.scope),
        "client_id": family.client_id,
        "exp": family.expires_at,
        "iat": family.rotated_at,
        "sub": family.user_id,
        "iss": server.settings.issuer,
    }


async def _family(storage, token):
    """The family of a refresh token that was really issued, else None."""
    grant_id = families.grant_of(token)
    family = None if grant_id is None else await storage.family(grant_id)
    return family if family is not None and families.was_issued(token, family) else None


def _accepted(accept):
    """The JWT type that the client asks for; None for JSON."""
    types = [part.partition(";")[0].strip().lower() for part in (accept or "").split(",")]
    return next((name for name in types if name in _JWT_TYPES), None)


def _done():
    return Answer(200, [("content-type", "application/json"), *NO_STORE], json.dumps({}))
