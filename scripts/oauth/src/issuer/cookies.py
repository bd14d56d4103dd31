"""The two cookies of the auth worker: the session's, and that of a browser which is not logged in yet. Pure.

On https their names begin with `__Host-`: then no subdomain and no page over http can set them (RFC 6265bis section
4.1.3.2). On http, which settings allow for loopback hosts only, a browser takes no such name; there they are plain.
"""

import re
import secrets
from typing import Final

SESSION: Final = "session"
FORM: Final = "form"

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits, base64url


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def name(kind: str, issuer: str) -> str:
    """`__Host-oauth-session` or, on http, `oauth-session`."""
    return ("__Host-" if issuer.startswith("https:") else "") + f"oauth-{kind}"


def read(header: str | None, kind: str, issuer: str) -> str | None:
    """The secret in a `Cookie` field; None where there is none, or more than one, of which none can be trusted."""
    wanted = name(kind, issuer)
    found = [
        value.strip()
        for pair in (header or "").split(";")
        for key, equals, value in [pair.partition("=")]
        if equals and key.strip() == wanted
    ]
    return found[0] if len(found) == 1 and _SECRET.fullmatch(found[0]) else None


def put(kind: str, secret: str, issuer: str) -> str:
    """`Set-Cookie` for a cookie that goes when the browser is closed; the server decides earlier ends."""
    return f"{name(kind, issuer)}={secret}; {_attributes(issuer)}"


def remove(kind: str, issuer: str) -> str:
    return f"{name(kind, issuer)}=; Max-Age=0; {_attributes(issuer)}"


def _attributes(issuer: str) -> str:
    secure = "; Secure" if issuer.startswith("https:") else ""
    return f"Path=/; HttpOnly; SameSite=Lax{secure}"
