"""The grants of the token endpoint: what each checks, in which order, and when something is used up.

A check that fails uses nothing up. What another client presents never affects the grant that it belongs to.
"""

import logging
from dataclasses import dataclass

from issuer import families, hashes, pkce, procedure
from issuer.keys import BadKeys
from issuer.procedure import Order
from issuer.records import Family, Grant
from issuer.refusals import Refused
from issuer.unavailable import Unavailable

_log = logging.getLogger("oauth")

# Of a refresh that others come between: each further one needs a winner among 50 clients with one token.
_TRIES = 100
_OF_USERS = frozenset({"openid", "offline_access", "profile", "email"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One token request of a client that is authenticated."""

    form: object
    client: object
    storage: object
    settings: object
    ring: object
    now: int


async def answer(exchange):
    """The members of the token answer. Raises Refused or Unavailable."""
    name = exchange.form.required("grant_type")
    grant = GRANTS.get(name)
    if grant is None:
        raise Refused("unsupported_grant_type", "This grant type is not offered here")
    if name not in exchange.client.grant_types:
        raise Refused("unauthorized_client", "The client may not use this grant type")
    return await grant(exchange)


async def _authorization_code(exchange):
    form, client, storage, now = exchange.form, exchange.client, exchange.storage, exchange.now
    code = form.required("code")
    refused = Refused("invalid_grant", "The code is not valid")
    record = await storage.code(code)
    if record is None or record.client_id != client.client_id or (not record.used and now >= record.expires_at):
        raise refused
    redirect_uri = form.get("redirect_uri")
    if (redirect_uri is None and record.redirect_uri_sent) or redirect_uri not in (None, record.redirect_uri):
        raise Refused("invalid_grant", "The redirect_uri is not the one that the code was sent to")
    _check_verifier(form.get("code_verifier"), record.code_challenge, client)
    audience = _audience(exchange, record.resource)
    user = await storage.user_by_id(record.user_id)
    if user is None or user.disabled:
        raise refused
    if record.used or not await storage.consume_code(code, record):
        _log.warning("a code of client %r was used twice: its grant is revoked", client.client_id)
        await storage.revoke(record.grant_id, record.user_id)
        raise refused
    order = Order(
        client=client,
        sub=user.id,
        scope=record.scope,
        audience=audience,
        now=now,
        user_id=user.id,
        grant_id=record.grant_id,
        auth_time=record.auth_time,
        acr=record.acr,
        amr=record.amr,
    )
    try:
        issued = await _issue(exchange, order)
        try:
            refresh_token = await _first_refresh_token(exchange, order, record)
            await _taken_back_if_revoked(exchange, issued)
        except Unavailable:
            await _withdrawn(exchange, issued)
            raise
    except (Unavailable, BadKeys):
        # Nothing was given out, so the client may come again with the same code.
        await _undone(storage.release_code(code, record))
        raise
    return _members(exchange, order, issued, refresh_token=refresh_token, nonce=record.nonce)


async def _refresh_token(exchange):
    form, client, storage, settings = exchange.form, exchange.client, exchange.storage, exchange.settings
    now, token = exchange.now, form.required("refresh_token")
    refused = Refused("invalid_grant", "The refresh token is not valid")
    grant_id = families.grant_of(token)
    if grant_id is None:
        raise refused
    for _ in range(_TRIES):
        family = await storage.family(grant_id)
        if family is None or family.client_id != client.client_id:
            raise refused
        if not families.is_current(token, family) and not families.is_lost(
            token, family, now=now, grace_seconds=settings.reuse_grace_seconds
        ):
            if families.was_issued(token, family):
                _log.warning("a refresh token of client %r was used twice: its grant is revoked", client.client_id)
                await storage.revoke(grant_id, family.user_id)
            raise refused
        if now >= min(family.expires_at, family.absolute_expires_at):
            raise refused
        scope = _narrowed(form.get("scope"), family.scope)
        audience = _audience(exchange, family.resource)
        user = await storage.user_by_id(family.user_id)
        if user is None or user.disabled:
            await storage.revoke(grant_id, family.user_id)
            raise refused
        following_token = families.new_token(grant_id, family.seal)
        following = families.rotated(
            family, token, following_token, now=now, idle_seconds=settings.refresh_idle_seconds
        )
        if await storage.rotate(family, following, now=now):
            break
    else:
        raise Unavailable("a refresh token is asked for by too many at once")
    order = Order(
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
    )
    try:
        issued = await _issue(exchange, order)
        try:
            await storage.put_family(following, now=now)
            await storage.put_grant(_grant(following), now=now)
            await _taken_back_if_revoked(exchange, issued)
        except Unavailable:
            await _withdrawn(exchange, issued)
            raise
    except (Unavailable, BadKeys):
        await _undone(storage.rotate(following, family, now=now))
        raise
    # OpenID Connect Core 12.2: no nonce in a refreshed ID token.
    return _members(exchange, order, issued, refresh_token=following_token, nonce=None)


async def _client_credentials(exchange):
    client = exchange.client
    if client.is_public:
        raise Refused("unauthorized_client", "A public client has no credentials")
    own = tuple(name for name in client.scope if name not in _OF_USERS)
    order = Order(
        client=client,
        sub=client.client_id,
        scope=_narrowed(exchange.form.get("scope"), own),
        audience=_audience(exchange, ()),
        now=exchange.now,
    )
    return _members(exchange, order, await _issue(exchange, order), refresh_token=None, nonce=None)


GRANTS = {
    "authorization_code": _authorization_code,
    "refresh_token": _refresh_token,
    "client_credentials": _client_credentials,
}


def _check_verifier(verifier, challenge, client):
    """Both or neither: a verifier without a challenge is somebody who took the challenge out of the request."""
    if challenge is None:
        if verifier is not None or client.require_pkce:
            raise Refused("invalid_grant", "The authorization request had no code_challenge")
    elif verifier is None or not pkce.fits(verifier, challenge):
        raise Refused("invalid_grant", "The code_verifier is not that of the code_challenge")


def _audience(exchange, granted):
    """RFC 8707: what is asked for must have been granted; without a word the token is for all that was."""
    asked = tuple(dict.fromkeys(exchange.form.all("resource")))
    allowed = granted or exchange.client.resources or exchange.settings.resources
    if any(name not in allowed for name in asked):
        raise Refused("invalid_target", "The resource is not one that was granted")
    return asked or tuple(granted) or (allowed[0],)


def _narrowed(asked, granted):
    if asked is None:
        return tuple(granted)
    names = tuple(dict.fromkeys(name for name in asked.split(" ") if name))
    if not names or any(name not in granted for name in names):
        raise Refused("invalid_scope", "The scope is more than was granted")
    return names


async def _issue(exchange, order):
    """An access token that is stored and, where it is split, published. Raises Unavailable, with nothing left then."""
    storage, settings = exchange.storage, exchange.settings
    issued = procedure.issue(order, settings, exchange.ring)
    record = issued.record
    try:
        await storage.put_access(issued.text, record, now=order.now)
        if issued.published is not None:
            await storage.publisher.publish(
                record.publish_key, issued.published, expires_at=record.expires_at, now=order.now
            )
    except Unavailable:
        await _withdrawn(exchange, issued)
        raise
    return issued


async def _first_refresh_token(exchange, order, code):
    """The grant is listed in any case; a refresh token is for clients that may use one."""
    storage, settings, now = exchange.storage, exchange.settings, exchange.now
    token, family = None, None
    if "refresh_token" in exchange.client.grant_types:
        seal = families.new_seal()
        token = families.new_token(code.grant_id, seal)
        absolute = now + settings.refresh_absolute_seconds
        family = Family(
            grant_id=code.grant_id,
            client_id=code.client_id,
            user_id=code.user_id,
            scope=code.scope,
            resource=code.resource,
            seal=seal,
            current=hashes.digest(token),
            created=now,
            rotated_at=now,
            auth_time=code.auth_time,
            expires_at=min(now + settings.refresh_idle_seconds, absolute),
            absolute_expires_at=absolute,
            acr=code.acr,
            amr=code.amr,
            session=code.session,
        )
    grant = Grant(
        grant_id=code.grant_id,
        client_id=code.client_id,
        user_id=code.user_id,
        scope=code.scope,
        created=now,
        expires_at=now + settings.access_token_ttl_seconds,
        session=code.session,
    )
    await storage.put_grant(grant if family is None else _grant(family), now=now)
    if family is not None:
        await storage.start_family(family, now=now)
    return token


def _grant(family):
    return Grant(
        grant_id=family.grant_id,
        client_id=family.client_id,
        user_id=family.user_id,
        scope=family.scope,
        created=family.created,
        expires_at=family.expires_at,
        session=family.session,
    )


async def _taken_back_if_revoked(exchange, issued):
    """Who used the same code or refresh token a moment later revoked the grant, perhaps before this token was listed.

    The answer is given all the same: it is as if it had been given just before the grant was revoked.
    """
    if await exchange.storage.is_revoked(issued.record.grant_id):
        await exchange.storage.drop_access(issued.text, issued.record)


async def _withdrawn(exchange, issued):
    """One may fail and the other not: nobody has the token, but nobody shall find it either."""
    await _undone(exchange.storage.forget_access(issued.text, issued.record))
    await _undone(exchange.storage.publisher.withdraw(issued.record.publish_key))


async def _undone(work):
    """The error that led here is the one to tell; what could not be undone expires by itself."""
    try:
        await work
    except Unavailable as error:
        _log.warning("could not be undone: %s", error)


def _members(exchange, order, issued, *, refresh_token, nonce):
    members = {
        "access_token": issued.text,
        "token_type": "Bearer",
        "expires_in": issued.record.expires_at - order.now,
    }
    if order.scope:  # an empty one is no scope (RFC 6749 section 3.3)
        members["scope"] = " ".join(order.scope)
    if refresh_token is not None:
        members["refresh_token"] = refresh_token
    if "openid" in order.scope and order.user_id is not None:
        members["id_token"] = procedure.id_token(order, issued, exchange.settings, exchange.ring, nonce=nonce)
    return members
