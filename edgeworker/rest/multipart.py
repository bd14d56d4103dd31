"""A multipart/form-data body, read piece by piece as it comes in.

What a value is written with: parts `value` and, optionally, `metadata`. Names decide, not the presence of a filename:
one client sends the value as a file, the next one as a field.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser, parse_options_header

from edgeworker.errors import EdgeworkerError

_MAX_PARTS: Final = 8


class MultipartRefused(EdgeworkerError):
    """A body that is not a form of the expected parts. The text says what is wrong with it."""


class PartTooLarge(EdgeworkerError):
    """`name` is the part's; `limit` is in bytes."""

    def __init__(self, name: str, limit: int) -> None:
        super().__init__(f'The part "{name}" is larger than {limit} bytes.')
        self.name = name
        self.limit = limit


def boundary_of(content_type: str | None) -> str | None:
    """The boundary of a multipart/form-data type, "" where it is missing, None for any other type."""
    kind, options = parse_options_header(content_type or "")
    return str(options.get("boundary", "")) if kind == "multipart/form-data" else None


async def read_parts(
    body: AsyncIterator[bytes], *, boundary: str, limits: Mapping[str, int], total_limit: int
) -> dict[str, list[bytes]]:
    """The parts named in `limits` (name: most bytes); others are read over. Sizes in bytes.

    A part is the pieces in which it came: they are held once and never joined here.

    Raises:
        MultipartRefused: it is not a complete form with this boundary, or a part comes twice.
        PartTooLarge: as soon as a part has too many bytes.
    """
    parts: dict[str, list[bytes]] = {}
    if not boundary:
        raise MultipartRefused("The Content-Type multipart/form-data has no boundary.")
    try:
        # Not strict: strict mode refuses the line end after the last boundary when it comes in a piece of its own.
        parser = PushMultipartParser(boundary, max_segment_count=_MAX_PARTS)
        size = 0
        current = _Part("", None, 0)
        async for piece in body:
            size += len(piece)
            if size > total_limit:
                raise PartTooLarge("(all parts together)", total_limit)
            for event in parser.parse(piece):
                match event:
                    case MultipartSegment():
                        current = _part(event, parts, limits)
                    case None:
                        current = _Part("", None, 0)
                    case _:
                        current.add(event)
        parser.close()
    except ParserLimitReached as error:
        raise MultipartRefused(f"The form has more parts or longer part headers than are allowed: {error}.") from error
    except MultipartError as error:
        raise MultipartRefused(f"The body is not a complete multipart/form-data form: {error}.") from error
    return parts


class _Part:
    """`pieces` None: the part is not wanted."""

    __slots__ = ("limit", "name", "pieces", "size")

    def __init__(self, name: str, pieces: list[bytes] | None, limit: int) -> None:
        self.name = name
        self.pieces = pieces
        self.limit = limit
        self.size = 0

    def add(self, piece: bytes) -> None:
        if self.pieces is None:
            return
        self.size += len(piece)
        if self.size > self.limit:
            raise PartTooLarge(self.name, self.limit)
        self.pieces.append(piece)


def _part(segment: MultipartSegment, parts: dict[str, list[bytes]], limits: Mapping[str, int]) -> _Part:
    name = segment.name
    if name not in limits:
        return _Part(name, None, 0)
    if name in parts:
        raise MultipartRefused(f'The form has two parts "{name}".')
    parts[name] = []
    return _Part(name, parts[name], limits[name])
