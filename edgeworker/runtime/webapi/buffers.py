"""JavaScript's ArrayBuffer, typed arrays and DataView, as bytearrays with their attributes and pyodide's methods.

A view made of an ArrayBuffer has bytes of its own and writes through: what is set in the view is set in its buffer.
What is set in the buffer afterwards is not seen by the view; in JavaScript it would be.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import ClassVar, Self, SupportsFloat, SupportsIndex, SupportsInt

from edgeworker.runtime.webapi.base import is_absent, range_error, type_error
from edgeworker.runtime.webapi.ffi import Constructor
from edgeworker.runtime.webapi.json_text import numeral
from edgeworker.runtime.webapi.surplus import javascript_class


@javascript_class
class ArrayBuffer(bytearray):
    """Bytes that can be changed in place: what `arrayBuffer()` answers and `ArrayBuffer.new(length)` makes."""

    _behind: "ArrayBuffer | None" = None
    _offset = 0

    @classmethod
    def new(cls, source: object = None, /, *_window: object) -> Self:
        """From a length in bytes, a buffer, or numbers from 0 to 255."""
        match source:
            case bytes() | bytearray() | memoryview():
                return cls(bytes(source))
            case int():
                return cls(bytes(_length(source)))
            case _ if is_absent(source):
                return cls()
            case str():
                raise type_error(f"{cls.__name__}.new() takes a length, a buffer or numbers, not a string")
            case Iterable():
                return cls(bytes(int(item) & 255 for item in source if isinstance(item, SupportsInt)))
            case _:
                raise type_error(f"{cls.__name__}.new() takes a length, a buffer or numbers")

    @staticmethod
    def isView(value: object) -> bool:
        return isinstance(value, Uint8Array | NumberArray | DataView)

    @property
    def constructor(self) -> Constructor:
        return Constructor(type(self).__name__)

    @property
    def typeof(self) -> str:
        return "object"

    @property
    def buffer(self) -> "ArrayBuffer":
        return ArrayBuffer(self) if self._behind is None else self._behind

    @property
    def byteLength(self) -> int:
        return bytearray.__len__(self)

    @property
    def byteOffset(self) -> int:
        return self._offset

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

    def assign(self, source: bytes | bytearray | memoryview) -> None:
        """pyodide's: overwrites all of it. Raises ValueError for another length."""
        content = bytes(source)
        if len(content) != self.byteLength:
            raise ValueError(f"cannot assign {len(content)} bytes to a buffer of {self.byteLength}")
        self.fill_bytes(content)

    def assign_to(self, target: bytearray | memoryview) -> None:
        target[:] = bytes(self)

    def slice(self, start: SupportsIndex = 0, end: SupportsIndex | None = None) -> "ArrayBuffer":
        return ArrayBuffer(bytes(self)[start:end])

    def object_values(self) -> list[object]:
        return list(self)

    def fill_bytes(self, content: bytes, at: int = 0) -> None:
        """Overwrites from byte `at` on, in the buffer behind too."""
        bytearray.__setitem__(self, slice(at, at + len(content)), content)
        if self._behind is not None:
            self._behind.fill_bytes(content, self._offset + at)

    def over(self, behind: "ArrayBuffer", offset: int) -> Self:
        self._behind, self._offset = behind, offset
        return self


@javascript_class
class _View(ArrayBuffer):
    """A window of a buffer: `Class.new(buffer, offset, length)`, the length counted in items."""

    BYTES_PER_ELEMENT: ClassVar = 1

    @classmethod
    def _window(cls, buffer: ArrayBuffer, offset: object = None, length: object = None, *_rest: object) -> Self:
        start = int(offset) if isinstance(offset, int | float) else 0
        rest = buffer.byteLength - start
        size = rest if not isinstance(length, int | float) else int(length) * cls.BYTES_PER_ELEMENT
        if start < 0 or size < 0 or size > rest:
            raise range_error(f"Invalid typed array length: the buffer has {buffer.byteLength} bytes")
        return cls(bytes(buffer)[start : start + size]).over(buffer, start)


@javascript_class
class Uint8Array(_View):
    """What `to_js(bytes)` and `Uint8Array.new` make."""

    @classmethod
    def new(cls, source: object = None, /, *window: object) -> Self:
        if type(source) is ArrayBuffer:
            return cls._window(source, *window)
        return super().new(source)

    @classmethod
    def of(cls, *items: object) -> Self:
        return cls.new(items)

    def __str__(self) -> str:
        return ",".join(map(str, self))

    __repr__ = __str__

    def set(self, source: bytes | bytearray | Iterable[int], offset: int = 0) -> None:
        content = bytes(source)
        if offset < 0 or offset + len(content) > len(self):
            raise range_error("offset is out of bounds")
        self.fill_bytes(content, offset)

    def fill(self, value: int, start: int = 0, end: int | None = None) -> Self:
        count = len(range(*slice(start, end).indices(len(self))))
        self.fill_bytes(bytes([value & 255]) * count, start)
        return self

    def slice(self, start: SupportsIndex = 0, end: SupportsIndex | None = None) -> Self:
        return type(self)(bytes(self)[start:end])

    def subarray(self, start: SupportsIndex = 0, end: SupportsIndex | None = None) -> Self:
        first, last, _ = slice(start, end).indices(len(self))
        behind = self if self._behind is None else self._behind
        return type(self)(bytes(self)[start:end]).over(behind, self._offset + min(first, last))

    def __setitem__(self, key: object, value: object) -> None:
        bytearray.__setitem__(self, key, value)  # type: ignore[call-overload]  # as the caller wrote it
        if self._behind is not None:
            self._behind.fill_bytes(bytes(self), self._offset)


class Uint8ClampedArray(Uint8Array):
    pass


class Int8Array(Uint8Array):
    pass


@javascript_class
class NumberArray(_View):
    """A typed array whose items are of more than one byte, in the order of the machine."""

    FORMAT: ClassVar = "I"

    @classmethod
    def new(cls, source: object = None, /, *window: object) -> Self:
        """Of a length, a buffer, or numbers."""
        match source:
            case ArrayBuffer() if not ArrayBuffer.isView(source):
                return cls._window(source, *window)
            case int():
                return cls(bytes(_length(source) * cls.BYTES_PER_ELEMENT))
            case _ if is_absent(source):
                return cls()
            case Iterable() if not isinstance(source, str):
                return cls(b"".join(cls._packed(item) for item in source))
            case _:
                raise type_error(f"{cls.__name__}.new() takes a length, a buffer or numbers")

    @classmethod
    def of(cls, *items: object) -> Self:
        return cls.new(items)

    @classmethod
    def _packed(cls, item: object) -> bytes:
        if cls.FORMAT in "fd":
            return struct.pack(f"={cls.FORMAT}", float(item) if isinstance(item, SupportsFloat) else 0.0)
        bits = 8 * cls.BYTES_PER_ELEMENT
        number = (int(item) if isinstance(item, SupportsInt) else 0) & ((1 << bits) - 1)
        return number.to_bytes(cls.BYTES_PER_ELEMENT, "little")

    def __str__(self) -> str:
        return ",".join(numeral(item) if isinstance(item, float) else str(item) for item in self._numbers())

    __repr__ = __str__

    def _numbers(self) -> list[int | float]:
        return [item for (item,) in struct.iter_unpack(f"={self.FORMAT}", bytes(self))]

    def set(self, source: Iterable[object], offset: int = 0) -> None:
        content = b"".join(self._packed(item) for item in source)
        at = offset * self.BYTES_PER_ELEMENT
        if at < 0 or at + len(content) > self.byteLength:
            raise range_error("offset is out of bounds")
        self.fill_bytes(content, at)

    def to_py(self, **_options: object) -> memoryview:
        view: memoryview = memoryview(bytes(self)).cast(self.FORMAT)  # type: ignore[call-overload]  # one of its letters
        return view

    def to_memoryview(self) -> memoryview:
        return self.to_py()

    def object_values(self) -> list[object]:
        return list(self._numbers())

    def __len__(self) -> int:
        return self.byteLength // self.BYTES_PER_ELEMENT

    def __bool__(self) -> bool:
        return self.byteLength > 0

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers())  # type: ignore[arg-type]  # floats, in the arrays of floats

    def __getitem__(self, key: object) -> object:  # type: ignore[override]  # its items are numbers of any size
        return self._numbers()[key]  # type: ignore[call-overload]  # as the caller wrote it

    def __setitem__(self, key: object, value: object) -> None:
        index = key if isinstance(key, int) else None
        if index is None or not -len(self) <= index < len(self):
            raise IndexError(f"{type(self).__name__}: no item {key!r}")
        self.fill_bytes(self._packed(value), index % len(self) * self.BYTES_PER_ELEMENT)


def _typed(name: str, form: str) -> type[NumberArray]:
    size = struct.calcsize(f"={form}")
    return type(name, (NumberArray,), {"FORMAT": form, "BYTES_PER_ELEMENT": size})


# `from` cannot be written as a method's name; pyodide takes a keyword with an underscore behind it.
for _kind in (Uint8Array, NumberArray):
    for _name in ("from", "from_"):
        setattr(_kind, _name, classmethod(lambda cls, items: cls.new(items)))


# The arrays that are rare in Python: each is its name and the letter of `struct`.
NUMBER_ARRAYS = {
    name: _typed(name, form)
    for name, form in (
        ("Int16Array", "h"),
        ("Uint16Array", "H"),
        ("Int32Array", "i"),
        ("Uint32Array", "I"),
        ("BigInt64Array", "q"),
        ("BigUint64Array", "Q"),
        ("Float32Array", "f"),
        ("Float64Array", "d"),
    )
}


@javascript_class
class DataView(_View):
    """`getUint16(at, littleEndian)`, `setUint16(at, value, littleEndian)` and their kin."""

    @classmethod
    def new(cls, source: object = None, /, *window: object) -> Self:
        if not isinstance(source, ArrayBuffer):
            raise type_error("First argument to DataView constructor must be an ArrayBuffer")
        return cls._window(source, *window)

    def __getattr__(self, name: str) -> object:
        form = _ACCESS.get(name[3:]) if name[:3] in ("get", "set") else None
        if form is None:
            raise AttributeError(f"DataView has no attribute {name!r}", name=name, obj=self)

        def get(at: int, little: object = False) -> object:
            return struct.unpack_from(f"{'<' if little else '>'}{form}", self, self._checked(at, form))[0]

        def put(at: int, value: object, little: object = False) -> None:
            self.fill_bytes(struct.pack(f"{'<' if little else '>'}{form}", value), self._checked(at, form))

        return get if name.startswith("get") else put

    def _checked(self, at: int, form: str) -> int:
        if not 0 <= at <= self.byteLength - struct.calcsize(f"={form}"):
            raise range_error("Offset is outside the bounds of the DataView")
        return at


_ACCESS = {
    "Int8": "b",
    "Uint8": "B",
    "Int16": "h",
    "Uint16": "H",
    "Int32": "i",
    "Uint32": "I",
    "BigInt64": "q",
    "BigUint64": "Q",
    "Float32": "f",
    "Float64": "d",
}


def _length(given: int) -> int:
    if given < 0:
        raise range_error(f"Invalid typed array length: {given}")
    return given


def is_buffer(value: object) -> bool:
    return isinstance(value, bytes | bytearray | memoryview)


def to_bytes(value: object) -> bytes:
    """The bytes of what JavaScript calls a BufferSource. Raises JsException (TypeError) for anything else."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise type_error(f"an ArrayBuffer or a typed array was expected, not {type(value).__name__}")
