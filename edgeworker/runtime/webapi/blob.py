"""JavaScript's `Blob` and `File`: bytes with a type. Source: https://w3c.github.io/FileAPI/"""

from collections.abc import Iterable

from edgeworker.messages import Body
from edgeworker.runtime.webapi.base import (
    BodySource,
    BodyWithType,
    is_absent,
    options,
    refuse_field_named_type,
    type_error,
)
from edgeworker.runtime.webapi.buffers import ArrayBuffer, Uint8Array
from edgeworker.runtime.webapi.streams import ReadableStream


class Blob(BodySource):
    """`Blob.new(parts, {"type": ...})`: parts are texts, buffers and blobs."""

    def __init__(self, parts: object = None, init: object = None, /, **keywords: object) -> None:
        given = options(init, keywords)
        if refuse_field_named_type(init):
            given = {**given, "type": "dict", **keywords}
        native = str(given.get("endings")) == "native"
        self.content_bytes = b"".join(_part(part, native=native) for part in _parts(parts))
        kind = "" if is_absent(given.get("type")) else str(given["type"]).lower()
        # https://w3c.github.io/FileAPI/#constructorBlob: a type with any other character counts as no type.
        self.type = kind if kind.isascii() and kind.isprintable() else ""

    @classmethod
    def of(cls, content: bytes, content_type: str) -> "Blob":
        blob = Blob()
        blob.content_bytes, blob.type = content, content_type
        return blob

    @property
    def size(self) -> int:
        return len(self.content_bytes)

    def __bool__(self) -> bool:
        """pyodide takes what has no size for false."""
        return self.size > 0

    async def text(self) -> str:
        return self.content_bytes.decode("utf-8", "replace")

    async def arrayBuffer(self) -> ArrayBuffer:
        return ArrayBuffer(self.content_bytes)

    async def bytes(self) -> Uint8Array:
        return Uint8Array(self.content_bytes)

    def stream(self) -> ReadableStream:
        return ReadableStream.of_body(Body(self.content_bytes), None)

    def slice(self, start: int | None = None, end: int | None = None, content_type: str | None = None) -> "Blob":
        return Blob.of(self.content_bytes[start:end], content_type or "")

    def extract_body(self) -> BodyWithType:
        return BodyWithType(Body(self.content_bytes), self.type or None)


class File(Blob):
    """`File.new(parts, name, {"type": ..., "lastModified": ...})`."""

    def __init__(self, parts: object = None, name: object = "", init: object = None, /, **keywords: object) -> None:
        super().__init__(parts, init, **keywords)
        modified = options(init, keywords).get("lastModified")
        self.name = str(name)
        self.lastModified = modified if isinstance(modified, int) else 0

    @classmethod
    def of_upload(cls, content: bytes, name: str, content_type: str) -> "File":
        file = cls([], name)
        file.content_bytes, file.type = content, content_type
        return file


def _parts(parts: object) -> Iterable[object]:
    if is_absent(parts):
        return ()
    if isinstance(parts, str | bytes | bytearray | Blob) or not isinstance(parts, Iterable):
        raise type_error("Blob.new() takes a list of parts")
    return parts


def _part(part: object, *, native: bool) -> bytes:
    match part:
        case str():
            return (part.replace("\r\n", "\n") if native else part).encode("utf-8", "replace")
        case bytes() | bytearray() | memoryview():
            return bytes(part)
        case Blob():
            return part.content_bytes
        case _:
            raise type_error(f"a part of a Blob is text, bytes or a Blob, not {type(part).__name__}")
