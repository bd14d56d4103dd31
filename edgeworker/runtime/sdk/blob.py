"""`workers.Blob` and `workers.File`."""

from collections.abc import Iterable
from enum import StrEnum

from edgeworker.runtime.webapi.blob import Blob as JSBlob
from edgeworker.runtime.webapi.blob import File as JSFile


class BlobEnding(StrEnum):
    TRANSPARENT = "transparent"
    NATIVE = "native"


class Blob:
    """Bytes with a content type. `parts` is one part or several: text, bytes, blobs of either kind."""

    def __init__(
        self, blob_parts: object, content_type: str | None = None, endings: BlobEnding | str | None = None
    ) -> None:
        parts, kind = _parts(blob_parts)
        self._js = JSBlob(parts, type=content_type or kind, endings=endings)

    @property
    def js_object(self) -> JSBlob:
        return self._js

    @property
    def size(self) -> int:
        return self._js.size

    @property
    def content_type(self) -> str:
        return self._js.type

    async def text(self) -> str:
        return await self._js.text()

    async def bytes(self) -> "bytes":
        return self._js.content_bytes

    def slice(self, start: int | None = None, end: int | None = None, content_type: str | None = None) -> "Blob":
        return Blob(self._js.slice(start, end, content_type))


class File(Blob):
    """A Blob with a name. `last_modified` is in epoch milliseconds."""

    def __init__(
        self,
        blob_parts: object,
        filename: str,
        content_type: str | None = None,
        endings: BlobEnding | str | None = None,
        last_modified: int | None = None,
    ) -> None:
        parts, kind = _parts(blob_parts)
        if last_modified is None and isinstance(blob_parts, File):
            last_modified = blob_parts.last_modified
        if last_modified is None and isinstance(blob_parts, JSFile):
            last_modified = blob_parts.lastModified
        self._file = JSFile(
            parts, filename, type=content_type or kind, endings=endings, lastModified=last_modified or 0
        )
        self._js = self._file

    @property
    def name(self) -> str:
        return self._file.name

    @property
    def last_modified(self) -> int:
        return self._file.lastModified


def _parts(given: object) -> tuple[list[object], str]:
    """The parts as JavaScript takes them, and the content type that a single blob hands down."""
    match given:
        case Blob():
            return [given.js_object], given.content_type
        case JSBlob():
            return [given], given.type
        case str() | bytes() | bytearray() | memoryview():
            return [given], ""
        case Iterable():
            parts = [part.js_object if isinstance(part, Blob) else part for part in given]
            for part in parts:
                if not isinstance(part, str | bytes | bytearray | memoryview | JSBlob):
                    raise TypeError(f"Don't know how to handle {type(part)} for Blob()")
            return parts, ""
        case _:
            raise TypeError(f"Don't know how to handle {type(given)} for Blob()")


def from_js(value: object) -> object:
    """A value of a form as the SDK gives it: JavaScript's files and blobs as ours, text as text."""
    if isinstance(value, JSFile):
        return File(value, value.name)
    return Blob(value) if isinstance(value, JSBlob) else value
