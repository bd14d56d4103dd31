"""Which requests are admitted, with which header fields: what only an edge may say is removed and set anew. Pure.

Sources: https://developers.cloudflare.com/fundamentals/reference/http-headers/ and
https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 (hop-by-hop), https://www.rfc-editor.org/rfc/rfc8586 (CDN-Loop).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from edgeworker.messages import Credentials, Headers, NameTable, Request

Field = tuple[bytes, bytes]

# No standard defines Proxy-Connection, but clients send it.
HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
IS_HOP_BY_HOP: Final[NameTable[bytes, bool]] = NameTable(lambda name: name.lower() in HOP_BY_HOP)
# How often a request may have come through an edge before: a loop between an edge and its origin ends here.
MAX_LOOPS: Final = 16

_EDGE_ONLY: Final = frozenset(
    {
        b"cf-connecting-ip",
        b"cf-connecting-ipv6",
        b"cf-connecting-o2o",
        b"cf-ew-via",
        b"cf-pseudo-ipv4",
        b"cf-ray",
        b"cf-visitor",
        b"cf-worker",
        # What managed transforms tell an origin of the visitor and of bots.
        # https://developers.cloudflare.com/rules/transform/managed-transforms/reference/
        b"cf-bot-score",
        b"cf-ja3-hash",
        b"cf-ja4",
        b"cf-metro-code",
        b"cf-postal-code",
        b"cf-region",
        b"cf-region-code",
        b"cf-threat-score",
        b"cf-timezone",
        b"cf-verified-bot",
        # Which certificate a client has shown: https://www.rfc-editor.org/rfc/rfc9440#section-2.4
        b"client-cert",
        b"client-cert-chain",
        b"forwarded",
        b"proxy",  # HTTP_PROXY to a program that CGI starts: https://httpoxy.org/
        b"true-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-forwarded",
        b"x-real-ip",
        # Some frameworks take these for the requested path: a second path, which no rule has checked.
        b"x-original-uri",
        b"x-original-url",
        b"x-rewrite-url",
    }
)
# Removed if they are spelled with "_": CGI-like servers cannot tell them from these.
_NEVER_UNDERSCORED: Final = frozenset({b"cdn-loop", b"content-length", b"content-type"})
# "cf-cert-" and "cf-client-cert-": https://developers.cloudflare.com/ssl/client-certificates/forward-a-client-certificate/
_EDGE_ONLY_PREFIXES: Final = (b"cf-access-", b"cf-cert-", b"cf-client-cert-", b"cf-ip", b"x-forwarded-")
# Only Cloudflare Access sets these. An origin or a script that could set one could replace a user's login by its own.
_EDGE_COOKIES: Final = frozenset({b"cf_appsession", b"cf_authorization", b"cf_binding", b"cf_device", b"cf_session"})
# The name as a browser reads it. What has no name ("=CF_Authorization=x") comes back as its value alone.
_COOKIE_NAME: Final = re.compile(rb"[ \t=]*([^=;]*)")
# `Connection` values that name no field worth a second look.
_USUAL_OPTIONS: Final = frozenset({b"close", b"keep-alive", b"Keep-Alive", b"Close"})
ALLOW: Final = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"  # what a 405 says
_METHODS_REFUSED: Final = frozenset({"CONNECT", "TRACE", "TRACK"})
_ACCESS_COOKIE: Final = re.compile(r'(?:^|;)[ \t]*CF_Authorization="?([^;"]*)')
# To ASCII for what is printable, and else not. One look-up for each byte, several times faster than to delete them.
_PRINTABLE_IS_ASCII: Final = bytes(byte if 0x20 <= byte < 0x7F else 0xFF for byte in range(256))
# A "." or ".." that appears if "%2F" or "%5C" is decoded before dots are resolved, or if what follows ";" in a segment
# is dropped. Between plain slashes it was resolved already.
_HIDDEN_DOTS: Final = re.compile(r"(?:/|%2F|%5C)\.\.?(?=;|%3B|/|%2F|%5C|$)")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-F]{2})")
# Longer forms of ASCII characters: RFC 3629 (section 3) forbids them, and old decoders take them.
_OVERLONG: Final = re.compile(r"%C[01]%[89AB]|%E0%[89]|%F0%8")
_OUR_LOOP: Final = re.compile(rb"[ \t]*cloudflare[ \t]*(?:;[ \t]*loops=([0-9]{1,4})[^,]*|;[^,]*)?")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not admitted. `text` goes to the client: what is wrong, and what would be right."""

    status: int
    text: str


# What is done with a field of that name. Plain numbers: to compare an Enum's members costs more than the rest of the
# loop.
_KEPT: Final = 0
_REMOVED: Final = 1
_CONNECTION: Final = 2
_AUTHORIZATION: Final = 3
_COOKIE: Final = 4
_LOOP: Final = 5
_ACCESS: Final = 6  # removed, after it was read
_UPGRADE: Final = 7

_READ: Final = {
    b"authorization": _AUTHORIZATION,
    b"cdn-loop": _LOOP,
    b"connection": _CONNECTION,
    b"cookie": _COOKIE,
    b"upgrade": _UPGRADE,
}


def _classify_field(name: bytes) -> int:
    key = name.lower()
    if key in _READ:
        return _READ[key]
    # What reads fields as CGI does sees "_" and "-" as the same character.
    dashed = key.replace(b"_", b"-")
    if key.startswith(b"cf-access-"):
        return _ACCESS
    if dashed in _EDGE_ONLY or dashed.startswith(_EDGE_ONLY_PREFIXES) or dashed in HOP_BY_HOP:
        return _REMOVED
    return _REMOVED if dashed != key and dashed in _NEVER_UNDERSCORED else _KEPT


def _many_views(path: str) -> str | None:
    """Why a canonical path has no one meaning, or None.

    "%2F" by itself has one: it is part of a name ("/@scope%2Fname"), here as at the origin, and is left alone. So are
    bytes that are not UTF-8 ("/caf%E9"), which no server takes for a slash or a dot. What is refused is what only some
    readers resolve: NUL, where a program in C ends the path (nginx answers 400, too); broken escapes, which
    servers keep, drop or decode later; overlong UTF-8, which is a dot or a slash to some decoders; and dot segments
    behind an encoded slash or with a parameter ("/api/..%2Fadmin", "/api/..;/admin").
    """
    if _BROKEN_ESCAPE.search(path) is not None:
        return 'The path holds a "%" that is not followed by two hexadecimal digits; write "%25".'
    if "%00" in path:
        return "The path holds %00."
    if _OVERLONG.search(path) is not None:
        return "The path holds overlong UTF-8."
    if _HIDDEN_DOTS.search(path) is not None:
        return 'The path holds a "." or ".." next to an encoded slash or a ";"; write the path that is meant.'
    return None


def end_to_end(fields: Sequence[Field]) -> list[Field]:
    """The fields without the hop-by-hop ones and without those that `Connection` names."""
    kept = [field for field in fields if not IS_HOP_BY_HOP[field[0]]]
    if len(kept) < len(fields):
        for name, value in fields:
            if len(name) == 10 and name.lower() == b"connection":
                kept = without_named(kept, value)
    return kept


def without_named(fields: list[Field], connection: bytes) -> list[Field]:
    """The fields without those that the value of a `Connection` field names."""
    if connection in _USUAL_OPTIONS:
        return fields
    named = _options(connection)
    return [field for field in fields if field[0].lower() not in named]


def without_edge_cookies(headers: Headers) -> Headers:
    """The fields of an origin's or a script's answer without cookies whose names belong to the edge, whatever their
    `Domain` is: a cookie for the parent domain would reach the neighbours. The same object where there are none.

    Source: https://www.rfc-editor.org/rfc/rfc6265#section-5.2
    """
    if not headers.has("set-cookie"):
        return headers
    fields = headers.raw
    found = [field for field in fields if len(field[0]) == 10 and _is_edge_cookie(field)]
    return headers if not found else Headers.from_raw([field for field in fields if field not in found])


def _is_edge_cookie(field: Field) -> bool:
    name = _COOKIE_NAME.match(field[1])
    return field[0].lower() == b"set-cookie" and name is not None and name[1].strip(b" \t").lower() in _EDGE_COOKIES


def admit(request: Request, *, ray: str) -> Request | Refusal:
    """The request as the rest of the edge sees it, or why it is refused.

    Credentials are read into `request.credentials`. Then the fields are removed that only an edge may set, with their
    underscore spellings, and the hop-by-hop ones, but `Upgrade: websocket`; then the edge's own are set from
    `request.client`, the URL and `ray` ("8f2a…-LHR"). A credential that comes twice is refused, because two readers
    could take different ones, and so is a path that two readers could take for different ones (see `_many_views`).
    """
    if request.method in _METHODS_REFUSED:
        return Refusal(405, f"The method {request.method} is not allowed.")
    url = request.url
    if "%" in url.path or ";" in url.path:
        url = url.canonical()
        if (why := _many_views(url.path)) is not None:
            return Refusal(400, why)
    kept: list[Field] = []
    cookies: list[bytes] = []
    loops: list[bytes] = []
    named: set[bytes] | None = None
    authorization: bytes | None = None
    upgrade: bytes | None = None
    access: dict[bytes, bytes] | None = None
    for field in request.headers.raw:
        kind = _KINDS[field[0]]
        if kind == _KEPT:
            kept.append(field)
        elif kind == _AUTHORIZATION:
            if authorization is not None:
                return _twice(field)
            authorization = field[1]
            if not authorization.translate(_PRINTABLE_IS_ASCII).isascii():
                return Refusal(400, "Authorization holds a character that is not printable ASCII.")
            kept.append(field)
        elif kind == _COOKIE:
            kept.append(field)
            cookies.append(field[1])
        elif kind == _ACCESS:
            access = access or {}
            name = field[0].lower()
            if name in access:
                return _twice(field)
            access[name] = field[1]
        elif kind == _CONNECTION:
            if field[1] not in _USUAL_OPTIONS:
                named = _options(field[1]) if named is None else named | _options(field[1])
        elif kind == _LOOP:
            loops.append(field[1])
        elif kind == _UPGRADE:
            upgrade = field[1]
    if named:
        kept = [field for field in kept if field[0].lower() not in named]
    if upgrade is not None and upgrade.lower() == b"websocket" and named and b"upgrade" in named:
        kept.append((b"Upgrade", b"websocket"))  # of all hop-by-hop fields the one that a script looks at
    kept.append((b"CF-Ray", ray.encode("ascii")))
    kept += _SCHEME_FIELDS[url.scheme]
    kept += _client_fields(request.client.ip)
    if loops:
        others, count = _loops(b",".join(loops))
        if count >= MAX_LOOPS:
            return Refusal(508, f"The request came through this edge {count} times: an origin points back to the edge.")
        kept.append((b"CDN-Loop", b", ".join([*others, b"cloudflare; loops=%d" % (count + 1)])))
    else:
        kept.append(_FIRST_LOOP)
    credentials = _credentials(authorization, cookies, access)
    # What a product learns of a request is learnt after this: a worker's fetch() brings nothing of its own request.
    return Request(
        request.method,
        url,
        Headers.from_raw(kept),
        request.body,
        redirect=request.redirect,
        cf=request.cf,
        client=request.client,
        credentials=credentials,
        hops=request.hops,
        trace=request.trace,
        raw_target=request.raw_target,
        visible_origin=request.visible_origin,
    )


_KINDS: Final = NameTable(_classify_field)
_FIRST_LOOP: Final = (b"CDN-Loop", b"cloudflare; loops=1")
_SCHEME_FIELDS: Final[dict[str, list[Field]]] = {
    scheme.decode("ascii"): [(b"CF-Visitor", b'{"scheme":"%b"}' % scheme), (b"X-Forwarded-Proto", scheme)]
    for scheme in (b"http", b"https")
}


@lru_cache(maxsize=1024)
def _client_fields(ip: str) -> tuple[Field, ...]:
    if not ip:
        return ()
    value = ip.encode("ascii")
    return (b"CF-Connecting-IP", value), (b"X-Forwarded-For", value), (b"X-Real-IP", value)


def _credentials(authorization: bytes | None, cookies: list[bytes], access: dict[bytes, bytes] | None) -> Credentials:
    if not cookies and access is None:
        if authorization is None:
            return _NONE
        # A NamedTuple's own constructor takes several times as long.
        return tuple.__new__(Credentials, (authorization.decode("ascii"), *_NOTHING_ELSE))
    access = access or {}
    # RFC 9113 8.2.3: several Cookie fields are one, joined with "; ".
    cookie = b"; ".join(cookies).decode("latin-1") if cookies else None
    found = None if cookie is None else _ACCESS_COOKIE.search(cookie)
    return Credentials(
        authorization=_text(authorization),
        cookie=cookie,
        access_token=_text(access.get(b"cf-access-token")),
        access_assertion=_text(access.get(b"cf-access-jwt-assertion")),
        access_cookie=None if found is None else found[1],
        access_metadata_request=access.get(b"cf-access-metadata-request") == b"true",
        client_id=_text(access.get(b"cf-access-client-id")),
        client_secret=_text(access.get(b"cf-access-client-secret")),
    )


_NONE: Final = Credentials()
_NOTHING_ELSE: Final = _NONE[1:]  # that a client may show, beside Authorization


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")


def _options(value: bytes) -> set[bytes]:
    return {option.strip(b" \t").lower() for option in value.split(b",")}


def _loops(value: bytes) -> tuple[list[bytes], int]:
    """The other networks that a request came through, and how often it came through an edge."""
    others: list[bytes] = []
    count = 0
    for part in value.split(b","):
        ours = _OUR_LOOP.fullmatch(part)
        if ours is not None:
            count += int(ours[1] or 1)
        elif part.strip(b" \t"):
            others.append(part.strip(b" \t"))
    return others, count


def _twice(field: Field) -> Refusal:
    return Refusal(400, f"{field[0].decode('latin-1')} was sent twice.")
