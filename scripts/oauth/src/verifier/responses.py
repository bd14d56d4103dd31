"""Error responses of an API: challenges (RFC 6750, RFC 9728), problem details (RFC 9457), CORS. Pure; no package."""

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


class Problem(Exception):
    """Why a request is refused. `error` is RFC 6750's code, None if the request had no credentials.

    `detail` goes to the client, also inside a quoted string: printable ASCII without quote and backslash. `fields` are
    further header fields of the response.
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
class ProblemResponse:
    status: int
    fields: Fields
    text: str | None


def problem_response(problem: Problem, *, realm: str, cors: Fields, metadata_url: str = "") -> ProblemResponse:
    """`cors` are the fields that let a page read this response (see `cors_fields`); `metadata_url` is the API's own
    metadata document (RFC 9728), which tells a client where to get a token."""
    document: dict[str, str | int] = {
        "type": "about:blank",
        "title": _TITLES[problem.status],
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.error is not None:
        document["error"] = problem.error
    fields = [("content-type", "application/problem+json"), ("cache-control", "no-store"), *cors]
    fields += problem.fields
    if problem.status == 401 or problem.error is not None:
        fields.append(("www-authenticate", bearer_challenge(problem, realm=realm, metadata_url=metadata_url)))
    if problem.retry_after_seconds is not None:
        fields.append(("retry-after", str(problem.retry_after_seconds)))
    return ProblemResponse(problem.status, fields, json.dumps(document) + "\n")


def bearer_challenge(problem: Problem, *, realm: str, metadata_url: str = "") -> str:
    """A request without credentials gets no error code (RFC 6750 section 3.1)."""
    parameters = [("realm", realm)]
    if problem.error is not None:
        parameters += [("error", problem.error), ("error_description", problem.detail)]
    if problem.scope is not None:
        parameters.append(("scope", problem.scope))
    if metadata_url:
        parameters.append(("resource_metadata", metadata_url))
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters)


def cors_fields(origin: str | None, allowed: frozenset[str]) -> Fields:
    """The fields that let a page of `origin` read a response; none for an origin that is not allowed.

    There is no credentials mode: the page's own code sends the token, never the browser.
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


def preflight_response(
    origin: str, method: str, headers: str | None, *, realm: str, allowed: frozenset[str]
) -> ProblemResponse:
    """The response to `OPTIONS` with `Access-Control-Request-Method`. The API itself decides which methods exist.

    The requested headers are named one by one: `*` would not cover Authorization.
    Source: https://fetch.spec.whatwg.org/#cors-preflight-fetch
    """
    cors = cors_fields(origin, allowed)
    if not any(name == "access-control-allow-origin" for name, _ in cors):
        return problem_response(Problem(403, "This origin may not call the API"), realm=realm, cors=cors)
    if not _TOKEN.fullmatch(method) or (headers and not _TOKENS.fullmatch(headers)):
        return problem_response(Problem(400, "The preflight names no valid method or headers"), realm=realm, cors=cors)
    fields = [field for field in cors if field[0] == "access-control-allow-origin"]
    fields += [
        ("access-control-allow-methods", method),
        ("access-control-max-age", str(_PREFLIGHT_SECONDS)),
        ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
    ]
    if headers:
        fields.append(("access-control-allow-headers", headers))
    return ProblemResponse(204, fields, None)
