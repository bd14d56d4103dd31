"""Endpoints that take an access token: userinfo, and the protected resource of the seed (RFC 6750)."""

import re

from issuer import refusals
from issuer.refusals import Refused

_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr](?: +(.*))?", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_MAX_LENGTH = 8192


async def userinfo(server):
    """OpenID Connect Core, section 5.3."""
    record, user = await _user(server, "openid")
    return refusals.answer(_claims(user, record.scope))


async def resource(server):
    """The goods behind /resource/: the record of the user whose token it is, as far as its scope goes."""
    record, user = await _user(server, None)
    settings = server.settings
    if not {settings.issuer, settings.url("/resource"), settings.resources[0]} & set(record.audience):
        raise Refused("invalid_token", "The access token is meant for another resource", status=401, challenge="Bearer")
    document = {
        "path": server.path,
        "client_id": record.client_id,
        "scope": " ".join(record.scope),
        "user": {**_claims(user, record.scope), "created": user.created},
    }
    return refusals.answer(document)


async def _user(server, scope):
    """(the token's record, its user). The field Authorization only: a cookie would be sent by any page."""
    record = await _record(server)
    if scope is not None and scope not in record.scope:
        raise Refused("insufficient_scope", f"The scope {scope} is needed", status=403, challenge="Bearer", scope=scope)
    if record.user_id is None:
        raise Refused("insufficient_scope", "The access token is not a user's", status=403, challenge="Bearer")
    user = await server.storage.user_by_id(record.user_id)
    if user is None or user.disabled:
        raise _invalid()
    return record, user


async def _record(server):
    authorization = server.asked.authorization
    match = None if authorization is None else _BEARER.fullmatch(authorization)
    if match is None:
        raise Refused(None, "An access token is needed", status=401, challenge="Bearer")
    token = match[1] or ""
    if len(token) > _MAX_LENGTH or not _TOKEN.fullmatch(token):
        raise _invalid()
    record = await valid(server, token)
    if record is None:
        raise _invalid()
    return record


async def valid(server, token):
    """The record of an access token that is good now, else None. Only what was given out as one is found here: no ID
    token, no refresh token, and no whole JWT of a split token."""
    record = await server.storage.access(token)
    if record is None or server.asked.now >= record.expires_at:
        return None
    client = await server.storage.client(record.client_id)
    return None if client is None or client.disabled else record


def _invalid():
    return Refused("invalid_token", "The access token is not valid", status=401, challenge="Bearer")


def _claims(user, scope):
    claims = {"sub": user.id}
    if "profile" in scope:
        claims |= {**user.claims, "name": user.name}
    if "email" in scope:
        claims |= {"email": user.email, "email_verified": user.email_verified}
    return claims
