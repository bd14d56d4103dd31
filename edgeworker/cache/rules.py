"""What a shared cache may keep, and for how long. Pure.

Sources: https://developers.cloudflare.com/workers/runtime-apis/cache/, RFC 9111, and what miniflare answered.
"""

import re
from email.utils import parsedate_to_datetime
from typing import Final

from edgeworker.admission import end_to_end
from edgeworker.messages import Headers

KEPT_STATUSES: Final = frozenset({200, 203, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501})
_IMMUTABLE_SECONDS: Final = 86_400
# A page that has not changed for long will not change soon: RFC 9111, section 4.2.2.
_HEURISTIC: Final = 0.1


def fresh_seconds(status: int, headers: Headers, request: Headers, *, now: int) -> int:
    """For how long an answer to `request` may be kept; 0: not at all. `now` is in epoch seconds."""
    control = directives(headers)
    cookies_are_private = control.get("private") == "set-cookie"
    if status not in KEPT_STATUSES or control.keys() & {"no-store", "no-cache", "proxy-revalidate"}:
        return 0
    if not cookies_are_private and ("private" in control or headers.has("set-cookie")):
        return 0
    if request.has("authorization") and not control.keys() & {"public", "must-revalidate", "s-maxage"}:
        return 0
    return max(0, _lifetime(control, headers, now) - (_whole(headers.get("age")) or 0))


def _lifetime(control: dict[str, str], headers: Headers, now: int) -> int:
    for name in ("s-maxage", "max-age"):
        if name in control:
            return _whole(control[name]) or 0
    date = _moment(headers.get("date"))
    made = now if date is None else date
    if (expires := headers.get("expires")) is not None:
        until = _moment(expires)
        return 0 if until is None else until - made
    if "immutable" in control:
        return _IMMUTABLE_SECONDS
    changed = _moment(headers.get("last-modified"))
    return 0 if changed is None or changed > made else int((made - changed) * _HEURISTIC)


def directives(headers: Headers) -> dict[str, str]:
    """Those of Cache-Control, names and values in lower case, without quotes."""
    found = {}
    for part in (headers.get("cache-control") or "").lower().split(","):
        name, _, value = part.strip().partition("=")
        if name:
            found[name] = value.strip().strip('"')
    return found


def varies_by(headers: Headers) -> tuple[str, ...]:
    """The names of the request's fields that an answer depends on, in lower case; "*" is one of them."""
    return tuple(sorted({name.strip().lower() for name in (headers.get("vary") or "").split(",") if name.strip()}))


def kept_headers(headers: Headers) -> Headers:
    """A copy without the fields of one connection, and without cookies."""
    return Headers.from_raw(end_to_end(headers.raw)).without(frozenset({b"set-cookie"}))


def is_unchanged(headers: Headers, request: Headers) -> bool:
    """Whether the client has it already, as its If-None-Match or If-Modified-Since says."""
    known, etag = request.get("if-none-match"), headers.get("etag")
    if known is not None:
        tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
        return etag is not None and ("*" in tags or etag.removeprefix("W/") in tags)
    since, changed = _moment(request.get("if-modified-since")), _moment(headers.get("last-modified"))
    return since is not None and changed is not None and changed <= since


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch("[0-9]{1,10}", text) else None


def _moment(text: str | None) -> int | None:
    try:
        return None if text is None else int(parsedate_to_datetime(text).timestamp())
    except (ValueError, OverflowError):
        return None
