"""Reads which functions a shared object of Linux takes from others: ELF's dynamic symbols. Pure but for `open`.

Source: https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

_MAGIC: Final = b"\x7fELF"
_DYNAMIC, _SYMBOLS = 6, 11  # types of sections
_NEEDED: Final = 1  # a tag of the dynamic section
_MOST_BYTES: Final = 64 << 20  # of one table


@dataclass(frozen=True, slots=True)
class SharedObject:
    """`imports` are the functions that it takes from others, `needs` the file names of the libraries."""

    imports: frozenset[str]
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Section:
    """One row of the section header table."""

    kind: int
    offset: int
    size: int
    link: int


def read_shared_object(file: Path) -> SharedObject | None:
    """None for a file that is not ELF.

    Raises OSError, and ValueError for a file that is damaged or does not say what it imports.
    """
    with file.open("rb") as stream:
        head = stream.read(64)
        if head[:4] != _MAGIC:
            return None
        try:
            return _read(stream, head)
        except (struct.error, IndexError) as error:
            raise ValueError(f"{file}: {error}") from error


def _read(stream: BinaryIO, head: bytes) -> SharedObject:
    is_wide, order = head[4] == 2, "<" if head[5] == 1 else ">"
    if is_wide:
        (at,), (size, count) = struct.unpack_from(f"{order}Q", head, 40), struct.unpack_from(f"{order}HH", head, 58)
    else:
        (at,), (size, count) = struct.unpack_from(f"{order}I", head, 32), struct.unpack_from(f"{order}HH", head, 46)
    sections = list(_sections(_at(stream, at, size * count), size, order, is_wide=is_wide)) if count else []
    symbols = next((section for section in sections if section.kind == _SYMBOLS), None)
    if symbols is None:
        raise IndexError("it has no table of symbols")
    names = _table(stream, sections[symbols.link])
    found = _undefined(_table(stream, symbols), names, order, is_wide=is_wide)
    needs: tuple[str, ...] = ()
    for section in sections:
        if section.kind == _DYNAMIC:
            strings = _table(stream, sections[section.link])
            form = f"{order}QQ" if is_wide else f"{order}II"
            entries = struct.iter_unpack(form, _whole(_table(stream, section), struct.calcsize(form)))
            needs = tuple(_string(strings, value) for tag, value in entries if tag == _NEEDED)
    return SharedObject(frozenset(found), needs)


def _sections(table: bytes, size: int, order: str, *, is_wide: bool) -> Iterator[_Section]:
    for at in range(0, len(table), size):
        if is_wide:
            _, kind, _, _, offset, length, link = struct.unpack_from(f"{order}IIQQQQI", table, at)
        else:
            _, kind, _, _, offset, length, link = struct.unpack_from(f"{order}IIIIIII", table, at)
        yield _Section(kind, offset, length, link)


def _undefined(table: bytes, names: bytes, order: str, *, is_wide: bool) -> Iterator[str]:
    """Symbols that are in no section of the file itself."""
    form = f"{order}IBBHQQ" if is_wide else f"{order}IIIBBH"
    for fields in struct.iter_unpack(form, _whole(table, struct.calcsize(form))):
        section = fields[3] if is_wide else fields[5]
        if not section and (name := _string(names, fields[0])):
            yield name


def _table(stream: BinaryIO, section: _Section) -> bytes:
    return _at(stream, section.offset, section.size)


def _at(stream: BinaryIO, offset: int, size: int) -> bytes:
    if size > _MOST_BYTES or offset + size > stream.seek(0, os.SEEK_END):
        raise IndexError(f"a table of {size} bytes at {offset}")
    stream.seek(offset)
    return stream.read(size)


def _whole(table: bytes, size: int) -> bytes:
    return table[: len(table) - len(table) % size]


def _string(names: bytes, at: int) -> str:
    end = names.find(b"\0", at)
    return names[at : None if end < 0 else end].decode("ascii", "replace")
