"""The paths and methods of the token worker's endpoints, and their errors."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from client_network import network_of
from issuer import form_parameters, json_responses, keys, metadata, token_endpoint
from issuer.client_authentication import authenticate
from issuer.clients import RegisteredClient
from issuer.endpoint_context import EndpointContext
from issuer.endpoint_response import EndpointResponse
from issuer.form_parameters import MAX_TOKEN_REQUEST_BYTES, BadParameters, Parameters
from issuer.introspection_endpoint import introspect
from issuer.json_responses import OAuthError, json_response
from issuer.resource_endpoint import resource
from issuer.revocation_endpoint import revoke
from issuer.settings import IssuerSettings
from issuer.store_bindings import Unavailable
from issuer.token_request import TokenRequest
from issuer.userinfo_endpoint import userinfo

_log = logging.getLogger("oauth")

RETRY_SECONDS: Final = 5
_WELL_KNOWN_SECONDS: Final = 300
_CREDENTIALS: Final = ("client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "token")
_REPEATABLE: Final = frozenset({"resource"})  # RFC 8707 section 2

Endpoint = Callable[[EndpointContext], Awaitable[EndpointResponse]]


@dataclass(frozen=True, slots=True)
class EndpointRoute:
    """`is_public`: a page of any origin may read the response."""

    answer: Endpoint
    methods: tuple[str, ...]
    is_public: bool = False


async def answer(context: EndpointContext) -> EndpointResponse:
    request, settings = context.request, context.settings
    route = _find_route(context)
    allowed = frozenset({"*"}) if route is not None and route.is_public else settings.cors_origins
    try:
        response = await _answer(context, route, allowed)
    except OAuthError as error:
        response = _error_response(settings, error)
    except (Unavailable, keys.BadKeys) as error:
        # A key may expire while the worker runs, and a client in KV may want an algorithm that no key has.
        _log.error("no answer is possible: %s", error)
        unavailable = OAuthError(
            "temporarily_unavailable", "The server cannot reach its data", status=503, retry_after_seconds=RETRY_SECONDS
        )
        response = _error_response(settings, unavailable)
    if request.method == "OPTIONS" and response.status == 204:
        return response
    return response.with_fields(
        (*json_responses.cors_fields(request.origin, allowed), ("x-content-type-options", "nosniff"))
    )


async def _answer(context: EndpointContext, route: EndpointRoute | None, allowed: frozenset[str]) -> EndpointResponse:
    request = context.request
    if route is None:
        raise OAuthError("invalid_request", "There is nothing at this path", status=404)
    methods = (*route.methods, *(("HEAD",) if "GET" in route.methods else ()), "OPTIONS")
    if request.method == "OPTIONS":
        return json_responses.options_response(methods, request.origin, request.request_headers, allowed)
    if request.method not in methods:
        raise OAuthError("invalid_request", "This path does not allow the method", status=405, allow=", ".join(methods))
    return await route.answer(context)


def _error_response(settings: IssuerSettings, error: OAuthError) -> EndpointResponse:
    metadata_url = f"{settings.origin}/.well-known/oauth-protected-resource{settings.path}/resource"
    return json_responses.error_response(error, realm=settings.issuer, resource_metadata=metadata_url)


def _find_route(context: EndpointContext) -> EndpointRoute | None:
    """Whole paths below the issuer's path, except for those that RFC 8414 and RFC 9728 put before it."""
    path, base = context.request.path, context.settings.path
    if path in (f"/.well-known/oauth-authorization-server{base}", f"/.well-known/openid-configuration{base}"):
        return _METADATA
    if path.startswith(f"/.well-known/oauth-protected-resource{base}"):
        rest = path.removeprefix(f"/.well-known/oauth-protected-resource{base}")
        return _RESOURCE_METADATA.get(rest)
    if not path.startswith(base + "/"):
        return None
    own = path.removeprefix(base)
    return _RESOURCE if own.startswith("/resource/") else _ROUTES.get(own)


async def _token(context: EndpointContext) -> EndpointResponse:
    parameters, client = await _authenticate(context)
    return await token_endpoint.answer(
        TokenRequest(parameters, client, context.storage, context.settings, context.key_set, context.request.now)
    )


async def _revoke(context: EndpointContext) -> EndpointResponse:
    return await revoke(context, *await _authenticate(context))


async def _introspect(context: EndpointContext) -> EndpointResponse:
    return await introspect(context, *await _authenticate(context))


async def _authenticate(context: EndpointContext) -> tuple[Parameters, RegisteredClient]:
    """The rate limit comes before anything is read from a store."""
    request = context.request
    if not await context.check_rate_limit(network_of(request.address)):
        raise OAuthError("temporarily_unavailable", "Too many requests", status=429, retry_after_seconds=60)
    parameters = await _read_form(context)
    # What is in a URL ends in logs.
    names = [pair.partition("=")[0] for pair in request.query.split("&")]
    if any(name in _CREDENTIALS for name in names):
        raise OAuthError("invalid_request", "Parameters belong in the body, never in the URL")
    return parameters, await authenticate(context, parameters)


async def _read_form(context: EndpointContext) -> Parameters:
    content = await context.request.body(MAX_TOKEN_REQUEST_BYTES)
    if len(content) > MAX_TOKEN_REQUEST_BYTES:
        raise OAuthError("invalid_request", f"The body is larger than {MAX_TOKEN_REQUEST_BYTES} bytes", status=413)
    if not form_parameters.is_form(context.request.content_type):
        raise OAuthError("invalid_request", f"The content type must be {form_parameters.MEDIA_TYPE}")
    try:
        parameters = form_parameters.parse(content, max_length=MAX_TOKEN_REQUEST_BYTES)
    except BadParameters as error:
        raise OAuthError("invalid_request", f"The form cannot be parsed: {error}") from None
    if parameters.repeated(name for name in parameters.values if name not in _REPEATABLE):
        raise OAuthError("invalid_request", "A parameter was sent twice")
    return parameters


async def _metadata(context: EndpointContext) -> EndpointResponse:
    return json_response(metadata.server(context.settings, context.key_set), cache_seconds=_WELL_KNOWN_SECONDS)


async def _jwks(context: EndpointContext) -> EndpointResponse:
    answer_metadata = keys.public(context.key_set, now=context.request.now)
    return json_response(answer_metadata, cache_seconds=_WELL_KNOWN_SECONDS)


def _resource_metadata(name: str) -> Endpoint:
    async def answer_metadata(context: EndpointContext) -> EndpointResponse:
        return json_response(metadata.resource(context.settings, name), cache_seconds=_WELL_KNOWN_SECONDS)

    return answer_metadata


_METADATA: Final = EndpointRoute(_metadata, ("GET",), is_public=True)
_RESOURCE_METADATA: Final = {
    name: EndpointRoute(_resource_metadata(name), ("GET",), is_public=True) for name in ("", "/resource")
}
_RESOURCE: Final = EndpointRoute(resource, ("GET", "POST"))
_ROUTES: Final[Mapping[str, EndpointRoute]] = {
    "/token": EndpointRoute(_token, ("POST",)),
    "/revoke": EndpointRoute(_revoke, ("POST",)),
    "/introspect": EndpointRoute(_introspect, ("POST",)),
    "/userinfo": EndpointRoute(userinfo, ("GET", "POST")),
    "/resource": _RESOURCE,
    "/jwks": EndpointRoute(_jwks, ("GET",), is_public=True),
    "/.well-known/openid-configuration": _METADATA,
}
