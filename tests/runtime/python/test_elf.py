"""What a shared object imports, read from files that are made here by the specification.

Source: https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

import struct
from pathlib import Path

import pytest

from edgeworker.runtime.python.elf import SharedObject, read_shared_object


def make_shared_object(
    imports: tuple[str, ...] = (), *, exports: tuple[str, ...] = (), needs: tuple[str, ...] = (), bits: int = 64
) -> bytes:
    """The smallest file with a dynamic symbol table: head, names, symbols, dynamic section, section headers."""
    wide = bits == 64
    names, at = b"\0", {}
    for name in (*imports, *exports, *needs):
        at[name] = len(names)
        names += name.encode() + b"\0"

    def symbol(name: int, section: int) -> bytes:
        return (
            struct.pack("<IBBHQQ", name, 18, 0, section, 0, 0)
            if wide
            else struct.pack("<IIIBBH", name, 0, 0, 18, 0, section)
        )

    symbols = symbol(0, 0) + b"".join(symbol(at[name], 0) for name in imports)
    symbols += b"".join(symbol(at[name], 5) for name in exports)
    entry = "<QQ" if wide else "<II"
    dynamic = b"".join(struct.pack(entry, 1, at[name]) for name in needs) + struct.pack(entry, 0, 0)
    head_size, form = (64, "<IIQQQQIIQQ") if wide else (52, "<IIIIIIIIII")
    sections, content = [struct.pack(form, *[0] * 10)], b""
    for kind, table, link in ((3, names, 0), (11, symbols, 1), (6, dynamic, 1)):
        sections.append(struct.pack(form, 0, kind, 0, 0, head_size + len(content), len(table), link, 0, 0, 0))
        content += table
    section_headers = head_size + len(content)
    head = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    addresses = "<HHIQQQIHHHHHH" if wide else "<HHIIIIIHHHHHH"
    head += struct.pack(addresses, 3, 62, 1, 0, 0, section_headers, 0, head_size, 0, 0, len(sections[0]), 4, 0)
    return head + content + b"".join(sections)


@pytest.mark.parametrize("bits", [64, 32])
def test_what_others_have_and_what_it_has_are_told_apart(tmp_path: Path, bits: int) -> None:
    file = tmp_path / "made.so"
    file.write_bytes(
        make_shared_object(
            ("connect", "malloc"), exports=("PyInit_made",), needs=("libpq.so.5", "libc.so.6"), bits=bits
        )
    )

    assert read_shared_object(file) == SharedObject(frozenset({"connect", "malloc"}), ("libpq.so.5", "libc.so.6"))


def test_a_file_of_another_kind_is_none(tmp_path: Path) -> None:
    file = tmp_path / "text.so"
    for content in (b"", b"MZ", b"\xcf\xfa\xed\xfe" + bytes(100), b"import socket\n"):
        file.write_bytes(content)

        assert read_shared_object(file) is None


def test_a_damaged_file_is_a_value_error_and_nothing_else(tmp_path: Path) -> None:
    whole = make_shared_object(("connect",), needs=("libpq.so.5",))
    file = tmp_path / "made.so"
    cut = [whole[:size] for size in range(4, len(whole))]
    changed = [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(len(whole))]
    for content in [*cut, *changed]:
        file.write_bytes(content)
        try:
            read_shared_object(file)
        except ValueError as error:
            assert str(file) in str(error)  # noqa: PT017  # most changes leave a file that can be read
