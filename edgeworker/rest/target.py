"""The request target as it was received: path segments and query, percent-decoded exactly once. Pure.

KV keys come from here and not from `Request.url`: the canonical URL has resolved "." and ".." segments, and decoding
twice would turn the key "a%2Fb" into "a/b".
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, unquote_to_bytes

from edgeworker.messages import Request

_AUTHORITY: Final = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


class UndecodableText(ValueError):
    """Percent-encoded bytes that are not UTF-8. The text of the error quotes them."""


@dataclass(frozen=True, slots=True)
class Target:
    """`path` is still encoded and begins with "/"; `query` has the last value of each name."""

    path: str
    query: dict[str, str]


def of(request: Request) -> Target:
    """The target of a request. Raises UndecodableText for a query that is not UTF-8.

    A "#" belongs to the path or query: a request has no fragment, so a client that sends one means the character.
    """
    raw = request.url.target if request.raw_target is None else request.raw_target
    # A proxy's absolute form, `PUT http://host/path HTTP/1.1`; the listener has checked that it agrees with Host.
    raw = _AUTHORITY.sub("", raw, count=1) if raw[:1] != "/" else raw
    path, _, query = raw.partition("?")
    # A query is form-encoded ("+" is a space), a path is not.
    try:
        query.encode()
        fields = dict(parse_qsl(query, keep_blank_values=True, errors="strict"))
    except UnicodeError:
        raise UndecodableText(f"The query {query!a} is not UTF-8.") from None
    return Target(path or "/", fields)


def decoded(text: str) -> str:
    """`text` percent-decoded once; "+" stays "+". Raises UndecodableText for what is not UTF-8."""
    try:
        return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode()
    except UnicodeDecodeError:
        raise UndecodableText(f"{text!a} is not percent-encoded UTF-8.") from None
