"""Issues the tokens of a token response: stores and publishes them, and undoes that if a store fails."""

import logging
from collections.abc import Awaitable

from issuer import end_marks, token_issuance
from issuer.endpoint_response import EndpointResponse
from issuer.json_responses import json_response
from issuer.store_bindings import Unavailable
from issuer.token_issuance import AuthorizedAccess, IssuedAccessToken
from issuer.token_request import TokenRequest
from issuer.users import User

_log = logging.getLogger("oauth")


async def issue(request: TokenRequest, access: AuthorizedAccess) -> IssuedAccessToken:
    """An access token, stored and, if it is split, published. Raises Unavailable; then nothing of it is left."""
    storage = request.storage
    issued = token_issuance.issue(access, request.settings, request.key_set)
    record = issued.record
    try:
        await storage.put_access(issued.text, record, now=access.now)
        if record.publish_key is not None and issued.published is not None:
            await storage.publisher.publish(
                record.publish_key, issued.published, expires_at=record.expires_at, now=access.now
            )
    except Unavailable:
        await withdraw(request, issued)
        raise
    return issued


async def take_back_if_ended(request: TokenRequest, issued: IssuedAccessToken) -> None:
    """Deletes the token if its grant or its client was ended while it was issued, perhaps before it was listed.

    The response is sent all the same: it is as if it had been sent just before that.
    """
    storage, record = request.storage, issued.record
    client = await storage.client(record.client_id)
    ended = client is None or client.disabled or not end_marks.is_of(record.epoch, client.registration)
    ended = ended or (record.grant_id is not None and await storage.is_revoked(record.grant_id))
    if ended or await storage.is_void(record.user_id, record.epoch):
        await storage.drop_access(issued.text, record)


async def withdraw(request: TokenRequest, issued: IssuedAccessToken) -> None:
    """Deletes a token that is not given out. Each of the two deletions may fail alone."""
    await try_to_undo(request.storage.forget_access(issued.text, issued.record))
    await try_to_undo(request.storage.publisher.withdraw(issued.record.publish_key))


async def try_to_undo(work: Awaitable[object]) -> None:
    """The error that led here is the one to report; what cannot be undone expires by itself."""
    try:
        await work
    except Unavailable as error:
        _log.warning("could not be undone: %s", error)


def token_response(
    request: TokenRequest,
    access: AuthorizedAccess,
    issued: IssuedAccessToken,
    *,
    user: User | None = None,
    refresh_token: str | None = None,
    nonce: str | None = None,
) -> EndpointResponse:
    members: dict[str, object] = {
        "access_token": issued.text,
        "token_type": "Bearer",
        "expires_in": issued.record.expires_at - access.now,
    }
    if access.scope:  # an empty one is not a valid scope (RFC 6749 section 3.3)
        members["scope"] = " ".join(access.scope)
    if refresh_token is not None:
        members["refresh_token"] = refresh_token
    if "openid" in access.scope and user is not None:
        members["id_token"] = token_issuance.id_token(
            access, issued, request.settings, request.key_set, user=user, nonce=nonce
        )
    return json_response(members)
