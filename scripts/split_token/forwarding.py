"""Which header fields the gateway forwards, in both directions. Pure."""

import re
from collections.abc import Iterable
from typing import Final, Protocol

Fields = list[tuple[str, str]]

# They belong to one connection, not to the request (RFC 9110 section 7.6.1).
_HOP_BY_HOP: Final = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("te", "trailer", "transfer-encoding"),
    )
)

# A Connection field cannot remove these: without them it would be a different request.
_NEEDED: Final = frozenset({"content-length", "content-type", "host"})

# Frameworks take the method from these instead of the request line. A request that passes without a token because of
# its method (PUBLIC_PATHS "GET /x") must not have another method for the API.
_METHOD_OVERRIDES: Final = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})

_NONE: Final[frozenset[str]] = frozenset()

# What becomes of a field of that name.
_DROPPED: Final = 0
_FORWARDED: Final = 1
_UPGRADE: Final = 2  # forwarded where it asks for a WebSocket

_REMEMBERED_NAMES: Final = 1024
_REMEMBERED_LENGTH: Final = 64

# These directives let a shared cache store the response to a request with credentials (RFC 9111 section 3.5).
_SHARED: Final = re.compile(r"\b(?:public|s-maxage|must-revalidate)\b", re.IGNORECASE)


class HeaderFields(Protocol):
    """`request.headers` and `response.headers`: look-ups ignore case, repeated fields are several items."""

    def get(self, name: str, /) -> str | None: ...

    def items(self) -> Iterable[tuple[str, str]]: ...


class RequestFields:
    """Decides which fields of a request reach the API.

    `strip` are lower-case names with "-" for "_"; a final "*" matches any rest.
    """

    def __init__(self, strip: tuple[str, ...]) -> None:
        self._kinds = _FieldKinds(strip)

    def forward(self, headers: HeaderFields, url: str, *, public: bool = False) -> Fields:
        """The fields without `Authorization`, which the caller sets last; X-Forwarded-* say what the edge saw.

        `public`: no token was required.
        """
        dropped: frozenset[str] = _METHOD_OVERRIDES if public else _NONE
        connection = headers.get("connection")
        if connection is not None:
            named = {name.strip().lower() for name in connection.split(",")}
            dropped = dropped | (named - _NEEDED - {"upgrade"})
        kinds = self._kinds
        fields: Fields = [
            field
            for field in headers.items()
            if (kind := kinds[field[0]]) == _FORWARDED or (kind == _UPGRADE and field[1].lower() == "websocket")
        ]
        if dropped:
            fields = [field for field in fields if _plain(field[0]) not in dropped]
        scheme, _, rest = url.partition("://")
        fields.append(("x-forwarded-proto", scheme))
        fields.append(("x-forwarded-host", rest.partition("/")[0]))
        client = headers.get("cf-connecting-ip")
        if client is not None:
            fields.append(("x-forwarded-for", client))
        return fields


class _FieldKinds(dict[str, int]):
    """By the names as they are written: clients send the same few again and again."""

    def __init__(self, strip: tuple[str, ...]) -> None:
        super().__init__()
        self._prefixes = tuple(name[:-1] for name in strip if name.endswith("*"))
        self._names = frozenset(name for name in strip if not name.endswith("*")) | _HOP_BY_HOP | {"authorization"}

    def __missing__(self, name: str) -> int:
        plain = _plain(name)
        kind = _UPGRADE if plain == "upgrade" else _FORWARDED
        if plain in self._names or plain.startswith(self._prefixes):
            kind = _DROPPED
        if len(name) <= _REMEMBERED_LENGTH:
            if len(self) >= _REMEMBERED_NAMES:
                self.clear()
            self[name] = kind
        return kind


def _plain(name: str) -> str:
    """The name as the settings spell names."""
    return name.lower().replace("_", "-")


def response_fields(
    status: int, headers: HeaderFields, whole: str | None, *, challenge: str, cors: Fields
) -> Fields | None:
    """All fields of the API's response if one must change; None if the response goes out unchanged.

    `whole` is the JWT that the API received: no challenge may reveal it to the client, and no shared cache may give the
    response to another client. `challenge` replaces one that would. `cors` is added if the API has no CORS fields.
    """
    if status == 101:  # a WebSocket
        return None
    changes: dict[str, str] = {}
    if whole is not None:
        told = headers.get("www-authenticate")
        if told is not None and any(part in told for part in whole.split(".")):
            changes["www-authenticate"] = challenge
        kept = headers.get("cache-control")
        if kept is None:
            if status in (401, 403):
                changes["cache-control"] = "no-store"
        elif _SHARED.search(kept) and not _varies(headers, "authorization"):
            changes["vary"] = _join(headers.get("vary"), "Authorization")
    if cors and headers.get("access-control-allow-origin") is None:
        for name, value in cors:
            if name == "vary":
                value = _join(changes.get("vary", headers.get("vary")), value)
            changes[name] = value
    if not changes:
        return None
    return [(name, value) for name, value in headers.items() if name.lower() not in changes] + list(changes.items())


def _varies(headers: HeaderFields, on: str) -> bool:
    named = [name.strip().lower() for name in (headers.get("vary") or "").split(",")]
    return on in named or "*" in named


def _join(existing: str | None, added: str) -> str:
    return added if not existing else f"{existing}, {added}"
