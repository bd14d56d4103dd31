"""JavaScript's ArrayBuffer and typed arrays of bytes, as a bytearray with their attributes and pyodide's methods."""

from collections.abc import Iterable
from typing import Self, SupportsIndex, SupportsInt

from edgeworker.runtime.js.base import Constructor, is_absent, type_error


class ArrayBuffer(bytearray):
    """Bytes that can be changed in place: what `arrayBuffer()` answers, `to_js(bytes)` and `Uint8Array.new` make."""

    @classmethod
    def new(cls, source: object = None, *_rest: object) -> Self:
        """From a length in bytes, a buffer, or numbers from 0 to 255."""
        match source:
            case bytes() | bytearray() | memoryview():
                return cls(bytes(source))
            case int():
                return cls(bytes(source))
            case _ if is_absent(source):
                return cls()
            case str():
                raise type_error(f"{cls.__name__}.new() takes a length, a buffer or numbers, not a string")
            case Iterable():
                return cls(bytes(int(item) & 255 for item in source if isinstance(item, SupportsInt)))
            case _:
                raise type_error(f"{cls.__name__}.new() takes a length, a buffer or numbers")

    @property
    def constructor(self) -> Constructor:
        return Constructor(type(self).__name__)

    @property
    def typeof(self) -> str:
        return "object"

    @property
    def buffer(self) -> "ArrayBuffer":
        return ArrayBuffer(self)

    @property
    def byteLength(self) -> int:
        return len(self)

    @property
    def length(self) -> int:
        return len(self)

    def to_bytes(self) -> bytes:
        return bytes(self)

    def to_memoryview(self) -> memoryview:
        return memoryview(self)

    def to_py(self, **_options: object) -> memoryview:
        return memoryview(self)

    def to_string(self, encoding: str = "utf-8") -> str:
        return self.decode(encoding)

    def slice(self, start: SupportsIndex = 0, end: SupportsIndex | None = None) -> Self:
        return type(self)(self[start:end])

    def object_values(self) -> list[int]:
        return list(self)


class Uint8Array(ArrayBuffer):
    def set(self, source: bytes | bytearray | Iterable[int], offset: int = 0) -> None:
        content = bytes(source)
        if offset < 0 or offset + len(content) > len(self):
            raise type_error("offset is out of bounds")
        self[offset : offset + len(content)] = content

    def subarray(self, start: SupportsIndex = 0, end: SupportsIndex | None = None) -> Self:
        return self.slice(start, end)


class Uint8ClampedArray(Uint8Array):
    pass


class Int8Array(Uint8Array):
    pass


class DataView(ArrayBuffer):
    pass


def is_buffer(value: object) -> bool:
    return isinstance(value, bytes | bytearray | memoryview)


def to_bytes(value: object) -> bytes:
    """The bytes of what JavaScript calls a BufferSource. Raises JsException (TypeError) for anything else."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise type_error(f"an ArrayBuffer or a typed array was expected, not {type(value).__name__}")
