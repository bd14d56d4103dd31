"""Access's cookies: reading them out of a Cookie field, and the Set-Cookie fields that make and remove them. Pure.

Source: https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/authorization-cookie/
On plain http browsers drop `SameSite=None` without `Secure`, so there both are left out.
"""

import re
from typing import Final

from edgeworker.products.access.config import Application, PublicDestination, SameSite

AUTHORIZATION: Final = "CF_Authorization"
BINDING: Final = "CF_Binding"
_AUTHORIZATION_PAIR: Final = f"{AUTHORIZATION}="
APP_SESSION: Final = "CF_AppSession"
SESSION: Final = "CF_Session"
DEVICE: Final = "CF_Device"

APP_SESSION_SECONDS: Final = 86_400
SESSION_SECONDS: Final = 4 * 3600
DEVICE_SECONDS: Final = 30 * 86_400
# Of several cookies of one name (another path, a parent domain) so many are looked at.
_MAX_CANDIDATES: Final = 4
_PAIR: Final = re.compile(r"[ \t]*([^=;]+?)[ \t]*=[ \t]*\"?([^;\"]*)\"?[ \t]*(?:;|$)")
# What only the edge reads, and no origin should see.
_EDGE_ONLY: Final = frozenset({BINDING, APP_SESSION})

_SAME_SITE: Final[dict[SameSite, str]] = {"": "", "none": "None", "lax": "Lax", "strict": "Strict"}


def values_of(cookie: str | None, name: str) -> list[str]:
    """Every value of that name, in order, a few at most."""
    if cookie is None or name not in cookie:
        return []
    return [match[2] for match in _PAIR.finditer(cookie) if match[1] == name][:_MAX_CANDIDATES]


def value_of(cookie: str | None, name: str) -> str:
    """The first value, or ""."""
    return next(iter(values_of(cookie, name)), "")


def for_origin(cookie: str | None, token: str) -> str:
    """The Cookie field with this token as the only CF_Authorization, and without what only the edge reads."""
    kept = []
    if cookie is not None:
        kept = [
            part.strip(" \t")
            for part in cookie.split(";")
            if part.strip(" \t") and part.partition("=")[0].strip(" \t") not in {*_EDGE_ONLY, AUTHORIZATION}
        ]
    return "; ".join([*kept, f"{AUTHORIZATION}={token}"])


def is_ready_for_origin(cookie: str, token: str, first: str | None) -> bool:
    """Whether `for_origin` would only move things around: the usual case of a browser. `first` is the value of the
    first CF_Authorization of `cookie`. What stands before and behind the token is looked at; the token is compared."""
    at = cookie.find("CF_")
    begins = at + len(_AUTHORIZATION_PAIR)
    return (
        first == token
        and cookie.startswith(_AUTHORIZATION_PAIR, at)
        and cookie.startswith(token, begins)
        and cookie.find("CF_", begins + len(token)) < 0
    )


def make(
    name: str,
    value: str,
    *,
    secure: bool,
    seconds: int | None,
    path: str = "/",
    http_only: bool = True,
    same_site: SameSite = "none",
) -> str:
    """A Set-Cookie field; `seconds` None is for as long as the browser runs, 0 removes the cookie."""
    parts = [f"{name}={value}", f"Path={path}"]
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    if secure:
        parts.append("Secure")
    if http_only:
        parts.append("HttpOnly")
    if same_site == "none" and not secure:
        same_site = "lax"
    if same_site:
        parts.append(f"SameSite={_SAME_SITE[same_site]}")
    return "; ".join(parts)


def authorization(application: Application, token: str, *, secure: bool, seconds: int, host: str, at: str) -> str:
    """The application's own cookie. `at` is the path that was asked for: it says which of its paths a cookie is for."""
    return make(
        AUTHORIZATION,
        token,
        secure=secure,
        seconds=seconds,
        path=cookie_path(application, host, at),
        http_only=application.http_only_cookie,
        same_site=application.same_site_cookie,
    )


def cookie_path(application: Application, host: str, at: str) -> str:
    if not application.path_cookie:
        return "/"
    paths = [
        place.path.partition("*")[0].removesuffix("/")
        for place in application.destinations
        if isinstance(place, PublicDestination) and ("*" in place.host or place.host == host)
    ]
    fitting = [path for path in paths if at == path or at.startswith(path + "/")]
    return max(fitting, key=len, default="") or "/"


def removals(names: tuple[str, ...], *, secure: bool, path: str = "/") -> list[str]:
    return [make(name, "", secure=secure, seconds=0, path=path) for name in names]
