"""What a test writes for a body, made into what the core carries."""

import json as json_text
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from enum import Enum, auto
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Body, Headers

TEXT: Final = "text/plain;charset=UTF-8"
JSON_TYPE: Final = "application/json"
_HEADERS_FORM: Final = 'write headers={"Accept": "text/html"} or headers=[("Accept", "text/html")]'
_MOST_SHOWN: Final = 80

BodyLike = bytes | str | Iterable[bytes] | AsyncIterable[bytes]
HeadersLike = Headers | Mapping[str, str] | Iterable[tuple[str, str]]


class Missing(Enum):
    """None is JSON's null, so "nothing was given" needs a value of its own."""

    MISSING = auto()


MISSING: Final = Missing.MISSING


def body_of(body: BodyLike | None, json: JSON | Missing) -> tuple[Body | None, str | None]:
    """(body, its content type where there is a usual one). Pieces are streamed, so their length is not announced.

    Raises:
        TypeError: both a body and JSON were given, or what cannot be one.
    """
    if json is not MISSING:
        if body is not None:
            raise TypeError("give a body or json, not both")
        try:
            return Body(json_text.dumps(json, ensure_ascii=False).encode()), JSON_TYPE
        except (TypeError, ValueError) as error:
            raise TypeError(f"json={_show(json)} cannot be written as JSON: {error}") from None
    match body:
        case None:
            return None, None
        case str():
            return Body(body.encode()), TEXT
        case bytes():
            return Body(body), None
        case bytearray() | memoryview():
            return Body(bytes(body)), None
        case Mapping():
            raise TypeError("a body is text, bytes or pieces of bytes; for a dict write json={...}")
        case Iterable() | AsyncIterable():
            return Body(_stream(body)), None
        case _:
            shown = _show(body)
            raise TypeError(f"body={shown} cannot be sent; give text, bytes, pieces of bytes, or json={shown}")


def headers_of(headers: HeadersLike | None, content_type: str | None = None) -> Headers:
    """A copy, with `content_type` where the given ones have none."""
    written: object = headers
    if isinstance(written, str | bytes) or not isinstance(written, Headers | Iterable | None):
        raise TypeError(f"headers={_show(headers)} are not headers; {_HEADERS_FORM}")
    given = headers.items() if isinstance(headers, Mapping) else headers
    if given is not None and not isinstance(given, Headers):
        given = list(given)
        pairs: list[object] = [*given]
        for pair in pairs:
            if not isinstance(pair, tuple | list) or len(pair) != 2:
                raise TypeError(f"headers hold {_show(pair)}, which is not a name and a value; {_HEADERS_FORM}")
            name, value = pair
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


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


async def _stream(pieces: Iterable[bytes] | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(pieces, AsyncIterable):
        async for piece in pieces:
            yield piece
    else:
        for piece in pieces:
            yield piece
