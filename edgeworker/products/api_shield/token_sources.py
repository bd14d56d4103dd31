"""Where a configuration looks for its token: a header field or a cookie. Pure.

Source: https://developers.cloudflare.com/api-shield/security/jwt-validation/api/ ("token_sources").
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

MAX_SOURCES: Final = 4
_SOURCE: Final = re.compile(r'http\.request\.(headers|cookies)\["([^"\\]{1,256})"\]\[0\]')
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_COOKIE_NAME: Final = re.compile(r"[!-~]+")
_BEARER: Final = re.compile(r"bearer:?[ \t]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TokenSource:
    """`name` of a header field is lower case."""

    kind: Literal["header", "cookie"]
    name: str

    @property
    def expression(self) -> str:
        return f'http.request.{self.kind}s["{self.name}"][0]'


class FoundToken(NamedTuple):
    """`number` is the place of the source in its list."""

    source: TokenSource
    text: str
    number: int = 0


def read_source(expression: str) -> TokenSource:
    """Raises ValueError, whose text says what would be right."""
    match = _SOURCE.fullmatch(expression.strip())
    if match is None:
        raise ValueError(
            f'"{expression[:200]}" is not a token source; use http.request.headers["authorization"][0] or '
            'http.request.cookies["NAME"][0]'
        )
    name = match[2]
    if match[1] == "headers":
        if _HEADER_NAME.fullmatch(name) is None:
            raise ValueError(f'"{name}" is not a header name in lower case; write it as "authorization"')
        return TokenSource("header", name)
    if _COOKIE_NAME.fullmatch(name) is None:
        raise ValueError(f'"{name}" is not the name of a cookie')
    return TokenSource("cookie", name)


def find_token(
    sources: Sequence[TokenSource], headers: Mapping[str, Sequence[bytes]], cookies: Mapping[str, Sequence[bytes]]
) -> FoundToken | None:
    """The first source that the request has decides; the others are not looked at. A source without a value is
    absent."""
    for number, source in enumerate(sources):
        values = (headers if source.kind == "header" else cookies).get(source.name)
        if values:
            text = strip_bearer(values[0].decode("latin-1"))
            if text:
                return FoundToken(source, text, number)
    return None


def strip_bearer(value: str) -> str:
    """Without one "Bearer " before the token."""
    if value.startswith("Bearer "):  # what nearly all clients send
        return value[7:].strip(" \t")
    text = value.strip(" \t")
    match = _BEARER.match(text)
    return text[match.end() :] if match is not None else "" if text.lower() in ("bearer", "bearer:") else text
