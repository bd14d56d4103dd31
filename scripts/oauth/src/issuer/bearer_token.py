"""Finds the access token of a request to an endpoint of this server (RFC 6750), and what it stands for now."""

import re
from dataclasses import replace
from typing import Final

from issuer import end_marks
from issuer.endpoint_context import EndpointContext
from issuer.json_responses import OAuthError
from issuer.records import AccessToken
from issuer.token_request import allowed_resources, allowed_scope
from issuer.users import User

_BEARER: Final = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr](?: +(.*))?", re.DOTALL)
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_MAX_LENGTH: Final = 8192


async def require_user(context: EndpointContext, scope: str | None) -> tuple[AccessToken, User]:
    """The token's record and its user. Raises OAuthError.

    Only the Authorization field counts: any page could make a browser send a cookie.
    """
    record = await _require_token(context)
    if scope is not None and scope not in record.scope:
        raise OAuthError(
            "insufficient_scope", f"The scope {scope} is needed", status=403, challenge="Bearer", scope=scope
        )
    if record.user_id is None:
        raise OAuthError("insufficient_scope", "The access token is not a user's", status=403, challenge="Bearer")
    user = await context.storage.user_by_id(record.user_id)
    if user is None or user.disabled:
        raise _invalid_token()
    return record, user


async def _require_token(context: EndpointContext) -> AccessToken:
    authorization = context.request.authorization
    match = None if authorization is None else _BEARER.fullmatch(authorization)
    if match is None:
        raise OAuthError(None, "An access token is needed", status=401, challenge="Bearer")
    token = match[1] or ""
    if len(token) > _MAX_LENGTH or not _TOKEN.fullmatch(token):
        raise _invalid_token()
    record = await find_valid(context, token)
    if record is None:
        raise _invalid_token()
    return record


async def find_valid(context: EndpointContext, token: str) -> AccessToken | None:
    """The record of an access token that is valid now, with the scope and audience that its client may still have.

    Only what was given out as an access token is found: no ID token, no refresh token, and no whole JWT of a split
    token.
    """
    record = await context.storage.access(token)
    if record is None or context.request.now >= record.expires_at:
        return None
    client = await context.storage.client(record.client_id)
    if client is None or client.disabled or not end_marks.is_of(record.epoch, client.registration):
        return None
    may = (*allowed_resources(client, context.settings), context.settings.issuer)
    audience = tuple(name for name in record.audience if name in may)
    if not audience:
        return None
    scope = tuple(name for name in record.scope if name in allowed_scope(client, context.settings))
    return replace(record, scope=scope, audience=audience)


def _invalid_token() -> OAuthError:
    return OAuthError("invalid_token", "The access token is not valid", status=401, challenge="Bearer")
