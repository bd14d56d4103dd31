"""What the token worker answers: refusals of RFC 6749 and RFC 6750, JSON, and CORS. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Fields = list[tuple[str, str]]

NO_STORE: Final = [("cache-control", "no-store"), ("pragma", "no-cache")]
_SAFE: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")  # RFC 6749 section 5.2
_TOKENS: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z, \t-]+")
_PREFLIGHT_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    fields: Fields
    text: str | None

    def and_fields(self, fields: Fields) -> "Answer":
        return Answer(self.status, [*self.fields, *fields], self.text)


class Refused(Exception):
    """Why a request gets no token, or nothing for the one it has. `detail` goes to the client and quotes nothing of it.

    `challenge` is the scheme of WWW-Authenticate: "Basic" or "Bearer". Without `error` it is a bare challenge.
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


def refusal(refused: Refused, *, realm: str, resource_metadata: str) -> Answer:
    """`realm` is the issuer; `resource_metadata` is what RFC 9728 wants in a Bearer challenge."""
    fields = [("content-type", "application/json"), *NO_STORE]
    match refused.challenge:
        case "Basic":
            fields.append(("www-authenticate", f'Basic realm="{realm}", charset="UTF-8"'))
        case "Bearer":
            parameters = [("realm", realm)]
            if refused.error is not None:
                parameters += [("error", refused.error), ("error_description", refused.detail)]
            if refused.scope is not None:
                parameters.append(("scope", refused.scope))
            parameters.append(("resource_metadata", resource_metadata))
            shown = ", ".join(f'{name}="{value}"' for name, value in parameters)
            fields.append(("www-authenticate", f"Bearer {shown}"))
        case _:
            pass
    if refused.retry_after_seconds is not None:
        fields.append(("retry-after", str(refused.retry_after_seconds)))
    if refused.allow is not None:
        fields.append(("allow", refused.allow))
    document = {"error": refused.error or "invalid_request", "error_description": refused.detail}
    return Answer(refused.status, fields, json.dumps(document))


def answer(document: Mapping[str, object], *, cache_seconds: int | None = None) -> Answer:
    caching = NO_STORE if cache_seconds is None else [("cache-control", f"public, max-age={cache_seconds}")]
    return Answer(200, [("content-type", "application/json"), *caching], json.dumps(document))


def cors_fields(origin: str | None, allowed: frozenset[str]) -> Fields:
    """What a page of `origin` needs to read an answer. No cookie is read here, so there is no credentials mode."""
    if not allowed or origin is None:
        return []
    if "*" in allowed:
        found = [("access-control-allow-origin", "*")]
    elif origin in allowed:
        found = [("access-control-allow-origin", origin), ("vary", "Origin")]
    else:
        return [("vary", "Origin")]
    return [*found, ("access-control-expose-headers", "WWW-Authenticate, Retry-After")]


def options(methods: tuple[str, ...], origin: str | None, headers: str | None, allowed: frozenset[str]) -> Answer:
    """The answer to OPTIONS: which methods there are, and for an allowed origin the preflight's answer."""
    listed = ", ".join(methods)
    fields = [("allow", listed), ("cache-control", "no-store")]
    if origin is not None and (origin in allowed or "*" in allowed):
        fields += [("access-control-allow-origin", "*" if "*" in allowed else origin), ("vary", "Origin")]
        fields += [("access-control-allow-methods", listed), ("access-control-max-age", str(_PREFLIGHT_SECONDS))]
        if headers and _TOKENS.fullmatch(headers) and len(headers) < 1024:
            fields.append(("access-control-allow-headers", headers))
    return Answer(204, fields, None)
