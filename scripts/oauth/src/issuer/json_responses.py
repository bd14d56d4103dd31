"""Responses of the token worker: errors of RFC 6749 and RFC 6750, JSON, and CORS. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Final

from issuer.endpoint_response import NO_STORE, EndpointResponse, HeaderFields

_SAFE: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")  # RFC 6749 section 5.2
_TOKENS: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z, \t-]+")
_PREFLIGHT_SECONDS: Final = 600
_JSON: Final = ("content-type", "application/json")


class OAuthError(Exception):
    """An error response. `detail` goes to the client as error_description and quotes nothing of the request.

    `challenge` is the scheme of WWW-Authenticate: "Basic" or "Bearer". Without `error` it is a bare challenge: a
    request without credentials gets no error code (RFC 6750 section 3.1).
    """

    def __init__(
        self,
        error: str | None,
        detail: str,
        *,
        status: int = 400,
        challenge: str | None = None,
        scope: str | None = None,
        retry_after_seconds: int | None = None,
        allow: str | None = None,
    ) -> None:
        assert _SAFE.fullmatch(detail)
        super().__init__(detail)
        self.error = error
        self.detail = detail
        self.status = status
        self.challenge = challenge
        self.scope = scope
        self.retry_after_seconds = retry_after_seconds
        self.allow = allow


def error_response(error: OAuthError, *, realm: str, resource_metadata: str) -> EndpointResponse:
    """`realm` is the issuer; `resource_metadata` is the URL that RFC 9728 wants in a Bearer challenge."""
    fields = [_JSON, *NO_STORE]
    match error.challenge:
        case "Basic":
            fields.append(("www-authenticate", f'Basic realm="{realm}", charset="UTF-8"'))
        case "Bearer":
            parameters = [("realm", realm)]
            if error.error is not None:
                parameters += [("error", error.error), ("error_description", error.detail)]
            if error.scope is not None:
                parameters.append(("scope", error.scope))
            parameters.append(("resource_metadata", resource_metadata))
            joined = ", ".join(f'{name}="{value}"' for name, value in parameters)
            fields.append(("www-authenticate", f"Bearer {joined}"))
        case _:
            pass
    if error.retry_after_seconds is not None:
        fields.append(("retry-after", str(error.retry_after_seconds)))
    if error.allow is not None:
        fields.append(("allow", error.allow))
    document = {} if error.error is None else {"error": error.error}
    return EndpointResponse(error.status, json.dumps({**document, "error_description": error.detail}), tuple(fields))


def json_response(document: Mapping[str, object], *, cache_seconds: int | None = None) -> EndpointResponse:
    caching = NO_STORE if cache_seconds is None else (("cache-control", f"public, max-age={cache_seconds}"),)
    return EndpointResponse(200, json.dumps(document), (_JSON, *caching))


def cors_fields(origin: str | None, allowed: frozenset[str]) -> HeaderFields:
    """The fields that let a page of `origin` read a response. No cookie is read here, so there is no credentials mode.

    If any page may read it, the fields are always there: a cached response serves requests with and without Origin.
    """
    expose = ("access-control-expose-headers", "WWW-Authenticate, Retry-After")
    if "*" in allowed:
        return (("access-control-allow-origin", "*"), expose)
    if not allowed:
        return ()
    if origin is None or origin not in allowed:
        return (("vary", "Origin"),)
    return (("access-control-allow-origin", origin), ("vary", "Origin"), expose)


def options_response(
    methods: tuple[str, ...], origin: str | None, headers: str | None, allowed: frozenset[str]
) -> EndpointResponse:
    """The response to OPTIONS: the methods, and for an allowed origin that of the preflight."""
    listed = ", ".join(methods)
    fields = [("allow", listed), ("cache-control", "no-store")]
    if origin is not None and (origin in allowed or "*" in allowed):
        fields += [("access-control-allow-origin", "*" if "*" in allowed else origin), ("vary", "Origin")]
        fields += [("access-control-allow-methods", listed), ("access-control-max-age", str(_PREFLIGHT_SECONDS))]
        if headers and _TOKENS.fullmatch(headers) and len(headers) < 1024:
            fields.append(("access-control-allow-headers", headers))
    return EndpointResponse(204, None, tuple(fields))
