"""HTML for Access's pages: every value is escaped, nothing runs a script. Pure."""

import html
import re
from collections.abc import Iterable
from typing import Final

from edgeworker.messages import Headers, RefusalReason, Response
from edgeworker.products.access import style

# What turns the direction of text around, or shows nothing.
_INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)


class Markup(str):
    """HTML that needs no escaping."""

    __slots__ = ()


NOTHING: Final = Markup("")


def fill(template: str, **values: str) -> Markup:
    """`template` is ours; in each `{name}` comes the value, escaped unless it is Markup."""
    safe = {name: value if isinstance(value, Markup) else escape(value) for name, value in values.items()}
    return Markup(template.format_map(safe))


def escape(value: str) -> Markup:
    return Markup(html.escape(_INVISIBLE.sub("\ufffd", value)))


def joined(parts: Iterable[Markup]) -> Markup:
    return Markup("".join(parts))


def page(
    title: str, content: Markup, *, team: str, status: int = 200, local: bool = False, refresh: str = ""
) -> Response:
    """`local` says at the foot that this is not Cloudflare; `team` is the organization's name or team domain."""
    text = fill(
        """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{title} – {team}</title>
<style>{css}</style>
</head>
<body>
<main>
<p class="team"><bdi>{team}</bdi></p>
{content}
</main>
{note}</body>
</html>
""",
        title=title,
        team=team,
        css=Markup(style.CSS),
        content=content,
        note=Markup(
            '<p class="local">Emulated by edgeworker on this machine. Anyone who reaches this page can be anyone.</p>\n'
            if local
            else ""
        ),
    )
    response = Response(status, page_headers(), text.encode())
    if status >= 400:
        response.refusal_reason = RefusalReason("Access: one of its own pages", (title,))
    return response


def page_headers() -> Headers:
    return Headers(
        [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Cache-Control", "private, no-store"),
            ("Content-Security-Policy", style.CONTENT_SECURITY_POLICY),
            ("Referrer-Policy", "no-referrer"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Frame-Options", "DENY"),
        ]
    )
