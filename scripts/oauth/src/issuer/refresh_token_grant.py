"""The grant type refresh_token (RFC 6749 section 6), with rotation and detection of reuse (RFC 9700 section 4.14.2).

A check that fails does not use up the token. A request of another client never affects the grant.
"""

import logging

from issuer import end_marks, refresh_tokens, token_response
from issuer.endpoint_response import EndpointResponse
from issuer.json_responses import OAuthError
from issuer.keys import BadKeys
from issuer.records import Family
from issuer.store_bindings import Unavailable
from issuer.token_issuance import AuthorizedAccess
from issuer.token_request import TokenRequest, check_redirect_uri, effective_audience, effective_scope
from issuer.users import User

_log = logging.getLogger("oauth")

# Of a rotation that other requests interrupt: one of 50 clients with the same token wins each round.
_TRIES = 100

_INVALID = "The refresh token is not valid"


async def refresh(request: TokenRequest) -> EndpointResponse:
    client, storage, settings, now = request.client, request.storage, request.settings, request.now
    token = request.required("refresh_token")
    grant_id = refresh_tokens.grant_of(token)
    if grant_id is None:
        raise OAuthError("invalid_grant", _INVALID)
    for _ in range(_TRIES):
        family, user = await _usable_family(request, grant_id, token)
        parameters = request.parameters
        scope = effective_scope(parameters.get("scope"), family.scope, client, settings)
        audience = effective_audience(parameters.all("resource"), family.resource, client, settings)
        following_token = refresh_tokens.new_token(grant_id, family.seal)
        following = refresh_tokens.rotate(
            family, token, following_token, now=now, idle_seconds=settings.refresh_idle_seconds
        )
        if await storage.rotate(family, following, now=now):
            break
    else:
        raise Unavailable("too many requests use a refresh token at the same time")
    access = AuthorizedAccess(
        client=client,
        sub=user.id,
        scope=scope,
        audience=audience,
        now=now,
        user_id=user.id,
        grant_id=grant_id,
        auth_time=family.auth_time,
        acr=family.acr,
        amr=family.amr,
        epoch=family.epoch,
    )
    try:
        issued = await token_response.issue(request, access)
        try:
            await storage.put_family(following, now=now)
            await storage.put_grant(refresh_tokens.grant_of_family(following), now=now)
            await token_response.take_back_if_ended(request, issued)
        except Unavailable:
            await token_response.withdraw(request, issued)
            raise
    except (Unavailable, BadKeys):
        await token_response.try_to_undo(storage.rotate(following, family, now=now))
        raise
    # OpenID Connect Core section 12.2: no nonce in a refreshed ID token.
    return token_response.token_response(request, access, issued, user=user, refresh_token=following_token)


async def _usable_family(request: TokenRequest, grant_id: str, token: str) -> tuple[Family, User]:
    """The family whose current token this is, and its user. Raises OAuthError; reuse revokes the grant."""
    client, storage, now = request.client, request.storage, request.now
    invalid = OAuthError("invalid_grant", _INVALID)
    family = await storage.family(grant_id)
    if family is None or family.client_id != client.client_id or not end_marks.is_of(family.epoch, client.registration):
        raise invalid
    if not refresh_tokens.is_current(token, family) and not refresh_tokens.is_lost(
        token, family, now=now, grace_seconds=request.settings.reuse_grace_seconds
    ):
        if refresh_tokens.was_issued(token, family):
            _log.warning("a refresh token of client %r was used twice: its grant is revoked", client.client_id)
            await storage.revoke(grant_id, family.user_id)
        raise invalid
    if now >= min(family.expires_at, family.absolute_expires_at):
        raise invalid
    user = await storage.user_by_id(family.user_id)
    if user is None or user.disabled or await storage.is_void(family.user_id, family.epoch):
        await storage.revoke(grant_id, family.user_id)
        raise invalid
    check_redirect_uri(family.redirect_uri, client)
    return family, user
