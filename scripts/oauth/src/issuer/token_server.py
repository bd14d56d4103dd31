"""The endpoints of the token worker: which path is which, by which method, and what becomes of errors."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from issuer import bearer, client_authentication, grants, keys, metadata, refusals, token_forms, token_status
from issuer.refusals import Refused
from issuer.unavailable import Unavailable

_log = logging.getLogger("oauth")

RETRY_SECONDS = 5
_WELL_KNOWN_SECONDS = 300
_CREDENTIALS = ("client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "token")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `path` is the URL's, in canonical form; `body` reads at most so many bytes and one more."""

    method: str
    path: str
    query: str
    authorization: str | None
    content_type: str | None
    accept: str | None
    origin: str | None
    request_headers: str | None
    address: str
    now: int
    body: Callable[[int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Server:
    """One request and what it is answered from. `may_try` is the binding TOKEN_LIMIT, or always yes."""

    asked: Asked
    settings: object
    ring: object
    storage: object
    failures: object
    may_try: Callable[[str], Awaitable[bool]]
    path: str


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """`is_public`: any page may read it."""

    answer: object
    methods: tuple[str, ...]
    is_public: bool = False


async def answer(server):
    """The answer to one request."""
    asked, settings = server.asked, server.settings
    endpoint = _endpoint(server)
    allowed = frozenset({"*"}) if endpoint is not None and endpoint.is_public else settings.cors_origins
    try:
        made = await _answered(server, endpoint, allowed)
    except Refused as error:
        made = _refusal(server, error)
    except (Unavailable, keys.BadKeys) as error:
        # A key's time may end while the worker runs, and a client in KV may want an algorithm that no key has.
        _log.error("nothing can be answered: %s", error)
        refused = Refused(
            "temporarily_unavailable", "The server cannot reach its data", status=503, retry_after_seconds=RETRY_SECONDS
        )
        made = _refusal(server, refused)
    if asked.method == "OPTIONS" and made.status == 204:
        return made
    return made.and_fields([*refusals.cors_fields(asked.origin, allowed), ("x-content-type-options", "nosniff")])


async def _answered(server, endpoint, allowed):
    asked = server.asked
    if endpoint is None:
        raise Refused("invalid_request", "There is nothing at this path", status=404)
    methods = (*endpoint.methods, *(("HEAD",) if "GET" in endpoint.methods else ()), "OPTIONS")
    if asked.method == "OPTIONS":
        return refusals.options(methods, asked.origin, asked.request_headers, allowed)
    if asked.method not in methods:
        raise Refused("invalid_request", "This method is not for this path", status=405, allow=", ".join(methods))
    return await endpoint.answer(server)


def _refusal(server, refused):
    return refusals.refusal(
        refused, realm=server.settings.issuer, resource_metadata=_resource_metadata(server.settings)
    )


def _resource_metadata(settings):
    return f"{settings.origin}/.well-known/oauth-protected-resource{settings.path}/resource"


def _endpoint(server):
    """Paths are compared whole; below the issuer's path, but for what RFC 8414 and RFC 9728 put before it."""
    path, base = server.asked.path, server.settings.path
    if path in (f"/.well-known/oauth-authorization-server{base}", f"/.well-known/openid-configuration{base}"):
        return _METADATA
    if path.startswith(f"/.well-known/oauth-protected-resource{base}"):
        rest = path.removeprefix(f"/.well-known/oauth-protected-resource{base}")
        return _RESOURCES.get(rest)
    if not path.startswith(base + "/"):
        return None
    own = path.removeprefix(base)
    return _RESOURCE if own.startswith("/resource/") else _ENDPOINTS.get(own)


async def _token(server):
    form, client = await _authenticated(server)
    exchange = grants.Exchange(form, client, server.storage, server.settings, server.ring, server.asked.now)
    return refusals.answer(await grants.answer(exchange))


async def _revoke(server):
    return await token_status.revoke(server, *await _authenticated(server))


async def _introspect(server):
    return await token_status.introspect(server, *await _authenticated(server))


async def _authenticated(server):
    """(form, client). The limit comes before anything is read from a store."""
    asked = server.asked
    if not await server.may_try(asked.address):
        raise Refused("invalid_request", "Too many requests", status=429, retry_after_seconds=60)
    form = token_forms.parse(asked.content_type, await asked.body(token_forms.MAX_BYTES))
    # What stands in a URL stands in logs too.
    names = [pair.partition("=")[0] for pair in asked.query.split("&")]
    if any(name in _CREDENTIALS for name in names):
        raise Refused("invalid_request", "Parameters belong into the body, never into the URL")
    client = await client_authentication.authenticate(
        asked, form, server.storage, server.settings, failures=server.failures
    )
    return form, client


async def _metadata(server):
    return refusals.answer(metadata.server(server.settings, server.ring), cache_seconds=_WELL_KNOWN_SECONDS)


async def _jwks(server):
    found = keys.public(server.ring, now=server.asked.now)
    return refusals.answer(found, cache_seconds=_WELL_KNOWN_SECONDS)


def _resource_at(name):
    async def found(server):
        return refusals.answer(metadata.resource(server.settings, name), cache_seconds=_WELL_KNOWN_SECONDS)

    return found


_METADATA = _Endpoint(_metadata, ("GET",), is_public=True)
_RESOURCES = {name: _Endpoint(_resource_at(name), ("GET",), is_public=True) for name in ("", "/resource")}
_RESOURCE = _Endpoint(bearer.resource, ("GET", "POST"))
_ENDPOINTS = {
    "/token": _Endpoint(_token, ("POST",)),
    "/revoke": _Endpoint(_revoke, ("POST",)),
    "/introspect": _Endpoint(_introspect, ("POST",)),
    "/userinfo": _Endpoint(bearer.userinfo, ("GET", "POST")),
    "/resource": _RESOURCE,
    "/jwks": _Endpoint(_jwks, ("GET",), is_public=True),
    "/.well-known/openid-configuration": _METADATA,
}
