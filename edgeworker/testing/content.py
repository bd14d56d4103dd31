"""What a test writes for a body, made into what the core carries."""

import json as json_text
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from enum import Enum, auto
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Body, Headers

TEXT: Final = "text/plain;charset=UTF-8"
JSON_TYPE: Final = "application/json"

BodyLike = bytes | str | Iterable[bytes] | AsyncIterable[bytes]
HeadersLike = Headers | Mapping[str, str] | Iterable[tuple[str, str]]


class Missing(Enum):
    """None is JSON's null, so "nothing was given" needs a value of its own."""

    MISSING = auto()


MISSING: Final = Missing.MISSING


def body_of(body: BodyLike | None, json: JSON | Missing) -> tuple[Body | None, str | None]:
    """(body, its content type where there is a usual one). Pieces are streamed, so their length is not announced.

    Raises:
        TypeError: both a body and JSON were given.
    """
    if json is not MISSING:
        if body is not None:
            raise TypeError("give a body or json, not both")
        return Body(json_text.dumps(json, ensure_ascii=False).encode()), JSON_TYPE
    match body:
        case None:
            return None, None
        case str():
            return Body(body.encode()), TEXT
        case bytes():
            return Body(body), None
        case Mapping():
            raise TypeError("a body is text, bytes or pieces of bytes; for a dict write json={...}")
        case _:
            return Body(_stream(body)), None


def headers_of(headers: HeadersLike | None, content_type: str | None = None) -> Headers:
    """A copy, with `content_type` where the given ones have none."""
    given = headers.items() if isinstance(headers, Mapping) else headers
    if given is not None and not isinstance(given, Headers):
        given = list(given)
        pairs: list[tuple[object, object]] = [*given]
        for name, value in pairs:
            if not isinstance(name, str) or not isinstance(value, str):
                raise TypeError(f"the header {name!r} is {value!r}; give text, or leave the header out")
    made = Headers(given)
    if content_type is not None and not made.has("content-type"):
        made.append("Content-Type", content_type)
    return made


def check_number(what: str, value: object) -> None:
    """Raises TypeError for what a test wrote where a number belongs: "61" and True are not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} is {value!r}; give a number, such as 60")


def check_whole_number(what: str, value: object) -> None:
    """Raises TypeError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} is {value!r}; give a whole number, such as 60")


async def _stream(pieces: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(pieces, AsyncIterable):
        async for piece in pieces:
            yield piece
    else:
        for piece in pieces:
            yield piece
