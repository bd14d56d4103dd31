"""Compares resource indicators (RFC 8707) as URLs. Pure.

A client that keeps its resource in a URL object sends "https://api.example.com/" for "https://api.example.com".
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_HTTP_URL: Final = re.compile(r"(https?)://([^/?#@\\]+)([^#]*)", re.IGNORECASE)
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


def canonical(name: str) -> str:
    """The form that the URL standard gives an http or https URL, as far as scheme, host, port and an empty path go."""
    match = _HTTP_URL.fullmatch(name)
    if match is None:
        return name
    scheme, authority, rest = match[1].lower(), match[2].lower(), match[3]
    authority = authority.removesuffix(_DEFAULT_PORTS[scheme])
    return f"{scheme}://{authority}{rest if rest.startswith('/') else '/' + rest}"


def find(name: str, known: Iterable[str]) -> str | None:
    """The one of `known` that is the same resource, in its registered spelling."""
    wanted = canonical(name)
    return next((other for other in known if canonical(other) == wanted), None)


def find_all(names: Iterable[str], known: Sequence[str]) -> tuple[str, ...] | None:
    """Each as `find`, without repetition; None if one of them is not known."""
    found = dict.fromkeys(find(name, known) for name in names)
    return None if None in found else tuple(name for name in found if name is not None)
