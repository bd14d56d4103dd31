"""Redirect URIs: which may be registered, which a request may use, and how response parameters are added. Pure.

Rules: RFC 9700 section 4.1 (exact comparison), RFC 8252 sections 7.1 and 7.3 (private-use schemes, loopback ports),
RFC 6749 section 3.1.2 (absolute, no fragment). Only the expressions below take a URI apart: a lenient parser (urllib
drops tabs, a browser turns "\" into "/") would see another host than the browser.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, unquote_plus, urlencode

MAX_LENGTH: Final = 2048
_MAX_SOURCES: Final = 20  # a header is not to grow without end

# Schemes that run or show what they carry, or lead into the machine. A browser takes them in any case.
_DANGEROUS: Final = frozenset(
    {"javascript", "data", "vbscript", "file", "about", "blob", "filesystem", "view-source", "ws", "wss", "ftp"}
)

# What an authorization response itself puts into the query: a second one would be read instead.
ANSWERED: Final = frozenset({"code", "state", "iss", "error", "error_description", "error_uri", "response"})

_CHARACTERS: Final = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()+,;=%-]+")  # RFC 3986 without "#" and "*"
_PARTS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//([^/?]*))?([^?]*)(?:\?(.*))?")
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOT_SEGMENT: Final = re.compile(r"/(?:\.|%2e){1,2}(?=/|$)", re.IGNORECASE)
_LABEL: Final = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"({_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::([0-9]+))?")
_BRACKETS: Final = frozenset("[]")
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}")
_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)")


class BadRedirectURI(ValueError):
    """A redirect URI that cannot be registered. The text quotes it and says what would be right."""


def check(uri: str, *, localhost: bool = False) -> None:
    """Refuses a URI that must not be registered as a redirect URI.

    `localhost` allows the name as a loopback host with http: its address comes from a resolver, so RFC 8252 section 8.3
    advises against it.

    Raises:
        BadRedirectURI: the first fault.
    """
    if len(uri) > MAX_LENGTH:
        raise BadRedirectURI(f"{uri[:40]!r}… is longer than {MAX_LENGTH} characters")
    if "#" in uri:
        raise BadRedirectURI(f"{uri!r} has a fragment; leave out what begins with #")
    if "*" in uri:
        raise BadRedirectURI(f"{uri!r} has a wildcard; register each address by itself")
    if not _CHARACTERS.fullmatch(uri) or _BAD_PERCENT.search(uri):
        raise BadRedirectURI(
            f"{uri!r} has characters that are not allowed in a URI; write them as %XX, and a host name in ASCII"
        )
    match = _PARTS.fullmatch(uri)
    if match is None:
        raise BadRedirectURI(f'{uri!r} is not absolute; write it like "https://app.example.com/callback"')
    scheme, authority, path, query = match[1], match[3], match[4], match[5] or ""
    if scheme.lower() in _DANGEROUS:
        raise BadRedirectURI(f'{uri!r}: the scheme "{scheme.lower()}" is not a place to send a response to; use https')
    if scheme != scheme.lower():
        raise BadRedirectURI(f"{uri!r}: write the scheme in lower case")
    if authority is not None and "@" in authority:
        raise BadRedirectURI(f"{uri!r} has user information before its host; leave it out")
    if _DOT_SEGMENT.search(path):
        raise BadRedirectURI(f'{uri!r} has "." or ".." as a part of its path; write the path that it leads to')
    if ANSWERED & {unquote_plus(pair.partition("=")[0]) for pair in query.split("&")}:
        raise BadRedirectURI(
            f"{uri!r}: its query has a parameter that belongs to the response ({', '.join(sorted(ANSWERED))})"
        )
    if scheme in ("http", "https"):
        _check_web(uri, scheme, authority, localhost=localhost)
    elif "." not in scheme:
        raise BadRedirectURI(
            f'{uri!r}: a private-use scheme is a reversed domain name, like "com.example.app:/callback"'
        )
    elif authority is not None and not _BRACKETS.isdisjoint(authority):
        raise BadRedirectURI(f'{uri!r}: "[" and "]" stand around an IPv6 address only; leave them out')


def _check_web(uri: str, scheme: str, authority: str | None, *, localhost: bool) -> None:
    host = _HOST.fullmatch(authority or "")
    if host is None or (host[2] is not None and not (_PORT.fullmatch(host[2]) and int(host[2]) < 65_536)):
        raise BadRedirectURI(
            f'{uri!r}: {authority or ""!r} is not a host in lower case (with a port, perhaps), like "app.example.com"'
        )
    if scheme == "http" and not _LOOPBACK.fullmatch(uri) and not (localhost and host[1] == "localhost"):
        also = "" if localhost or host[1] != "localhost" else " (localhost only where that is allowed)"
        raise BadRedirectURI(f"{uri!r}: use https; http is for 127.0.0.1 and [::1]{also}")


def match(uri: str, registered: tuple[str, ...]) -> bool:
    """Whether a request may name `uri`: it is one of `registered`, character by character.

    Only the port of a loopback address may differ, because a native client gets a free one (RFC 8252 section 7.3).
    """
    try:
        check(uri, localhost=True)
    except BadRedirectURI:
        return False  # also if an unchecked record has it
    if uri in registered:
        return True
    found = _LOOPBACK.fullmatch(uri)
    return found is not None and any(
        (known := _LOOPBACK.fullmatch(other)) is not None and (known[1], known[3]) == (found[1], found[3])
        for other in registered
    )


def with_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """`uri` with `parameters` after its own query, which is kept (RFC 6749 section 3.1.2)."""
    encoded = urlencode(parameters, quote_via=quote, safe="")
    if "?" not in uri:
        return f"{uri}?{encoded}"
    return f"{uri}{encoded}" if uri.endswith(("?", "&")) else f"{uri}&{encoded}"


def form_source(uri: str) -> str:
    """What `form-action` of a Content-Security-Policy has to name, so that a form's answer may redirect to `uri`.

    Browsers apply form-action to the redirect that follows a form as well. A policy has no notation for an IPv6
    address, nor for a private-use scheme's path: there it is the scheme alone.
    """
    parts = _PARTS.fullmatch(uri)
    if parts is None:
        raise BadRedirectURI(f"{uri!r} is not absolute")
    scheme, authority = parts[1], parts[3]
    if scheme in ("http", "https") and authority and not authority.startswith("["):
        return f"{scheme}://{authority}"
    return f"{scheme}:"


def form_sources(uri: str, registered: Iterable[str] = ()) -> str:
    """The sources for an answer to `uri`, and those of the client's other addresses.

    Chromium also stops a form whose answer leads to a named origin that leads on to another one. A client whose
    callback does that needs an address of the other origin among its registered ones.
    """
    sources = dict.fromkeys(form_source(other) for other in (uri, *registered))
    return " ".join(list(sources)[:_MAX_SOURCES])


def name_destination(uri: str) -> str:
    """Where `uri` leads, for people: its host, or the name of the app's scheme."""
    parts = _PARTS.fullmatch(uri)
    return uri if parts is None else parts[3] or parts[1]
