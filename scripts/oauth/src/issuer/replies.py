"""Answers of the auth worker: a status, fields and a text. Pure.

Every page carries the fields of RFC 9700 section 4.16 (clickjacking) and 4.2.4 (Referer), and is kept nowhere.
"""

from dataclasses import dataclass, field
from typing import Final

HTML: Final = "text/html;charset=utf-8"

_ALWAYS: Final = (
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    text: str | None = None
    fields: tuple[tuple[str, str], ...] = field(default=())

    def with_cookies(self, *cookies: str) -> "Reply":
        """`cookies` are values of `Set-Cookie`."""
        return Reply(self.status, self.text, (*self.fields, *(("set-cookie", cookie) for cookie in cookies)))


def page(
    text: str, *, status: int = 200, form_source: str | None = None, retry_after_seconds: int | None = None
) -> Reply:
    """An HTML page. `form_source` is what its form's answer may redirect to, beside this server."""
    fields = [("content-type", HTML), *_ALWAYS, ("content-security-policy", _policy(form_source))]
    if retry_after_seconds is not None:
        fields.append(("retry-after", str(retry_after_seconds)))
    return Reply(status, text, tuple(fields))


def redirect(location: str, *, status: int = 303) -> Reply:
    """303 after a POST, so that no password is posted on (RFC 9700 section 4.12); 302 after a GET."""
    fields = (("location", location), *_ALWAYS, ("content-security-policy", _policy(None)))
    return Reply(status, None, fields)


def stylesheet(text: str) -> Reply:
    """Its URL has its hash, so it may be kept for a year."""
    return Reply(
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
