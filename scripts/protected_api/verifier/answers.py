"""Refusals: challenges (RFC 6750, RFC 9728), problem documents (RFC 9457) and CORS. Pure, and needs no package."""

import json
import re
from dataclasses import dataclass
from typing import Final

Fields = list[tuple[str, str]]

_TITLES: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    502: "Bad Gateway",
    503: "Service Unavailable",
}

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TOKENS: Final = re.compile(rf"(?:{_TOKEN.pattern})(?:[ \t]*,[ \t]*(?:{_TOKEN.pattern}))*")
_PREFLIGHT_SECONDS: Final = 600


class Refused(Exception):
    """Why a request is not served. `error` is RFC 6750's code; none where no credentials were sent.

    `detail` goes to the client, into a quoted string among other places: printable ASCII without quote and backslash.
    `fields` are further header fields of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        error: str | None = None,
        scope: str | None = None,
        retry_after_seconds: int | None = None,
        fields: Fields | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.error = error
        self.scope = scope
        self.retry_after_seconds = retry_after_seconds
        self.fields = fields or []


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    fields: Fields
    text: str | None


def refusal(refused: Refused, *, realm: str, cors: Fields, metadata_url: str = "") -> Answer:
    """`cors` are the fields that let a page read this answer (see `cors_fields`); `metadata_url` is the API's own
    (RFC 9728), from which a client learns where it gets a token."""
    problem: dict[str, str | int] = {
        "type": "about:blank",
        "title": _TITLES[refused.status],
        "status": refused.status,
        "detail": refused.detail,
    }
    if refused.error is not None:
        problem["error"] = refused.error
    fields = [("content-type", "application/problem+json"), ("cache-control", "no-store"), *cors]
    fields += refused.fields
    if refused.status == 401 or refused.error is not None:
        fields.append(("www-authenticate", challenge(refused, realm=realm, metadata_url=metadata_url)))
    if refused.retry_after_seconds is not None:
        fields.append(("retry-after", str(refused.retry_after_seconds)))
    return Answer(refused.status, fields, json.dumps(problem) + "\n")


def challenge(refused: Refused, *, realm: str, metadata_url: str = "") -> str:
    """A request without credentials gets no error code (RFC 6750 section 3.1)."""
    parameters = [("realm", realm)]
    if refused.error is not None:
        parameters += [("error", refused.error), ("error_description", refused.detail)]
    if refused.scope is not None:
        parameters.append(("scope", refused.scope))
    if metadata_url:
        parameters.append(("resource_metadata", metadata_url))
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters)


def cors_fields(origin: str | None, allowed: frozenset[str]) -> Fields:
    """What a page of `origin` needs to read an answer; nothing for an origin that is not allowed.

    Without credentials mode: a token is sent by the page's own code, never by the browser.
    """
    if not allowed:
        return []
    if "*" in allowed:
        fields = [("access-control-allow-origin", "*")]
    elif origin in allowed and origin is not None:
        fields = [("access-control-allow-origin", origin), ("vary", "Origin")]
    else:
        return [("vary", "Origin")]
    return [*fields, ("access-control-expose-headers", "WWW-Authenticate, Retry-After")]


def preflight(origin: str, method: str, headers: str | None, *, realm: str, allowed: frozenset[str]) -> Answer:
    """The answer to `OPTIONS` with `Access-Control-Request-Method`. Which methods exist is the API's business.

    The requested headers are named one by one: `*` would not cover Authorization.
    Source: https://fetch.spec.whatwg.org/#cors-preflight-fetch
    """
    cors = cors_fields(origin, allowed)
    if not any(name == "access-control-allow-origin" for name, _ in cors):
        return refusal(Refused(403, "This origin may not call the API"), realm=realm, cors=cors)
    if not _TOKEN.fullmatch(method) or (headers and not _TOKENS.fullmatch(headers)):
        return refusal(Refused(400, "The preflight names no valid method or headers"), realm=realm, cors=cors)
    fields = [field for field in cors if field[0] == "access-control-allow-origin"]
    fields += [
        ("access-control-allow-methods", method),
        ("access-control-max-age", str(_PREFLIGHT_SECONDS)),
        ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]
    if headers:
        fields.append(("access-control-allow-headers", headers))
    return Answer(204, fields, None)
