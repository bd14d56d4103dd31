"""The grant type authorization_code (RFC 6749 section 4.1.3).

A check that fails does not use up the code. A request of another client never affects the grant.
"""

import logging

from issuer import digests, end_marks, pkce, refresh_tokens, token_response
from issuer.clients import RegisteredClient
from issuer.endpoint_response import EndpointResponse
from issuer.json_responses import OAuthError
from issuer.keys import BadKeys
from issuer.records import Code, Family, GrantEntry
from issuer.store_bindings import Unavailable
from issuer.token_issuance import AuthorizedAccess
from issuer.token_request import TokenRequest, check_redirect_uri, effective_audience, effective_scope

_log = logging.getLogger("oauth")


async def exchange_code(request: TokenRequest) -> EndpointResponse:
    parameters, client, storage, now = request.parameters, request.client, request.storage, request.now
    code = request.required("code")
    invalid = OAuthError("invalid_grant", "The code is not valid")
    record = await storage.code(code)
    if record is None or record.client_id != client.client_id or (not record.used and now >= record.expires_at):
        raise invalid
    if not end_marks.is_of(record.epoch, client.registration):
        raise invalid
    redirect_uri = parameters.get("redirect_uri")
    if (redirect_uri is None and record.redirect_uri_sent) or redirect_uri not in (None, record.redirect_uri):
        raise OAuthError("invalid_grant", "The redirect_uri is not the one that the code was sent to")
    check_redirect_uri(record.redirect_uri, client)
    _check_verifier(parameters.get("code_verifier"), record.code_challenge, client)
    audience = effective_audience(parameters.all("resource"), record.resource, client, request.settings)
    scope = effective_scope(None, record.scope, client, request.settings)
    user = await storage.user_by_id(record.user_id)
    if user is None or user.disabled or await storage.is_void(record.user_id, record.epoch):
        raise invalid
    if record.used or not await storage.consume_code(code, record):
        _log.warning("a code of client %r was used twice: its grant is revoked", client.client_id)
        await storage.revoke(record.grant_id, record.user_id)
        raise invalid
    access = AuthorizedAccess(
        client=client,
        sub=user.id,
        scope=scope,
        audience=audience,
        now=now,
        user_id=user.id,
        grant_id=record.grant_id,
        auth_time=record.auth_time,
        acr=record.acr,
        amr=record.amr,
        epoch=record.epoch,
    )
    try:
        issued = await token_response.issue(request, access)
        try:
            refresh_token = await _start_family(request, record)
            await token_response.take_back_if_ended(request, issued)
        except Unavailable:
            await token_response.withdraw(request, issued)
            raise
    except (Unavailable, BadKeys):
        # No token was given out, so the client may try again with the same code.
        await token_response.try_to_undo(storage.release_code(code, record))
        raise
    return token_response.token_response(
        request, access, issued, user=user, refresh_token=refresh_token, nonce=record.nonce
    )


def _check_verifier(verifier: str | None, challenge: str | None, client: RegisteredClient) -> None:
    """Both or neither: a verifier without a challenge means that someone removed the challenge from the request."""
    if challenge is None:
        if verifier is not None or client.require_pkce:
            raise OAuthError("invalid_grant", "The authorization request had no code_challenge")
    elif verifier is None or not pkce.matches(verifier, challenge):
        raise OAuthError("invalid_grant", "The code_verifier does not match the code_challenge")


async def _start_family(request: TokenRequest, code: Code) -> str | None:
    """Lists the grant in any case, and returns a refresh token if the client may use one."""
    storage, settings, now = request.storage, request.settings, request.now
    token, family = None, None
    if "refresh_token" in request.client.grant_types:
        seal = refresh_tokens.new_seal()
        token = refresh_tokens.new_token(code.grant_id, seal)
        absolute = now + settings.refresh_absolute_seconds
        family = Family(
            grant_id=code.grant_id,
            client_id=code.client_id,
            user_id=code.user_id,
            scope=code.scope,
            resource=code.resource,
            seal=seal,
            current=digests.digest(token),
            created=now,
            rotated_at=now,
            auth_time=code.auth_time,
            expires_at=min(now + settings.refresh_idle_seconds, absolute),
            absolute_expires_at=absolute,
            acr=code.acr,
            amr=code.amr,
            session=code.session,
            epoch=code.epoch,
            redirect_uri=code.redirect_uri,
        )
    grant = GrantEntry(
        grant_id=code.grant_id,
        client_id=code.client_id,
        user_id=code.user_id,
        scope=code.scope,
        created=now,
        expires_at=now + settings.access_token_ttl_seconds,
        session=code.session,
    )
    await storage.put_grant(grant if family is None else refresh_tokens.grant_of_family(family), now=now)
    if family is not None:
        await storage.start_family(family, now=now)
    return token
