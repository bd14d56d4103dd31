"""Responses of the auth worker: pages and redirects. Pure.

Every page has the fields of RFC 9700 sections 4.16 (clickjacking) and 4.2.4 (Referer), and is never stored.
"""

from typing import Final

from issuer.endpoint_response import EndpointResponse

HTML: Final = "text/html;charset=utf-8"

_ALWAYS: Final = (
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)


def page(
    text: str, *, status: int = 200, form_source: str | None = None, retry_after_seconds: int | None = None
) -> EndpointResponse:
    """An HTML page. `form_source` is where its form's response may redirect to, besides this server."""
    fields = [("content-type", HTML), *_ALWAYS, ("content-security-policy", _policy(form_source))]
    if retry_after_seconds is not None:
        fields.append(("retry-after", str(retry_after_seconds)))
    return EndpointResponse(status, text, tuple(fields))


def redirect(location: str, *, status: int = 303) -> EndpointResponse:
    """303 after a POST, so that no password is sent on (RFC 9700 section 4.12); 302 after a GET."""
    return EndpointResponse(
        status, None, (("location", location), *_ALWAYS, ("content-security-policy", _policy(None)))
    )


def stylesheet(text: str) -> EndpointResponse:
    """Its URL contains its hash, so it may be cached for a year."""
    return EndpointResponse(
        200,
        text,
        (
            ("content-type", "text/css;charset=utf-8"),
            ("cache-control", "public, max-age=31536000, immutable"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
        ),
    )


def _policy(form_source: str | None) -> str:
    forms = "'self'" if form_source is None else f"'self' {form_source}"
    return f"default-src 'none'; style-src 'self'; form-action {forms}; frame-ancestors 'none'; base-uri 'none'"
