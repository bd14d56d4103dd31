"""Texts and names of lists as an expression writes them. Pure.

A text is quoted ("a\\"b", with \\xHH and \\OOO), raw (r#"a\\b"#), or bytes ("61:62:63").
"""

from typing import Final

from edgeworker.expressions.scanning import Scanner

_LIST_NAME: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.")
_MAX_HASHES: Final = 255


def read_bytes(scanner: Scanner, at: int) -> tuple[bytes, int]:
    """A text of any form."""
    match scanner.text[at : at + 1]:
        case "":
            scanner.fail("unrecognised input", at)
        case '"' | "r":
            return read_string(scanner, at)
        case _:
            return _read_byte_string(scanner, at)


def read_string(scanner: Scanner, at: int) -> tuple[bytes, int]:
    """A quoted or a raw text."""
    match scanner.text[at : at + 1]:
        case '"':
            return _read_quoted(scanner, at + 1)
        case "r":
            text, end = read_raw(scanner, at + 1)
            return text.encode("utf-8", "surrogatepass"), end
        case "":
            scanner.fail("unrecognised input", at)
        case _:
            scanner.fail('expected " or r', at)


def _read_quoted(scanner: Scanner, begun: int) -> tuple[bytes, int]:
    text, at, content = scanner.text, begun, bytearray()
    while at < len(text):
        char = text[at]
        at += 1
        if char == '"':
            return bytes(content), at
        if char != "\\":
            content += char.encode("utf-8", "surrogatepass")
            continue
        escaped = text[at : at + 1]
        if escaped in ('"', "\\") and escaped:
            content += escaped.encode()
            at += 1
        elif escaped == "x":
            byte, at = _read_byte(scanner, at + 1, digits=2, radix=16)
            content.append(byte)
        elif escaped and escaped in "01234567":
            byte, at = _read_byte(scanner, at, digits=3, radix=8)
            content.append(byte)
        elif escaped:
            scanner.fail('expected ", xHH or OOO after \\', at, at + 1)
    scanner.fail("could not find an ending quote", begun)


def read_raw(scanner: Scanner, begun: int) -> tuple[str, int]:
    """A raw text; `begun` is after its "r"."""
    text, quote = scanner.text, begun
    while text.startswith("#", quote):
        quote += 1
    hashes = quote - begun
    if hashes > _MAX_HASHES:
        scanner.fail(f'more than {_MAX_HASHES} "#" before a raw text', begun)
    if not text.startswith('"', quote):
        scanner.fail('expected " or #', quote)
    at = text.find('"' + "#" * hashes, quote + 1)
    if at < 0:
        scanner.fail("could not find an ending quote", begun)
    return text[quote + 1 : at], at + 1 + hashes


def _read_byte_string(scanner: Scanner, at: int) -> tuple[bytes, int]:
    first, at = _read_byte(scanner, at, digits=2, radix=16)
    content = bytearray([first])
    separator, after = scanner.take(at, 1)
    if separator != ":":
        scanner.fail("expected byte separator", at, after)
    while True:
        byte, at = _read_byte(scanner, after, digits=2, radix=16)
        content.append(byte)
        if at == len(scanner.text) or scanner.text[at] != ":":
            return bytes(content), at
        after = at + 1


def _read_byte(scanner: Scanner, at: int, *, digits: int, radix: int) -> tuple[int, int]:
    taken, end = scanner.take(at, digits)
    try:
        # As Rust reads numbers: ASCII digits with at most a "+" before them.
        byte = int(taken, radix) if taken.isascii() and taken.lstrip("+").isalnum() else -1
    except ValueError:
        byte = -1
    if not 0 <= byte <= 255:
        scanner.fail(f"invalid digit found in string while parsing with radix {radix}", at, end)
    return byte, end


def read_list_name(scanner: Scanner, at: int) -> tuple[str, int]:
    """A name after "$"; `at` is at the "$"."""
    begun = end = at + 1
    while end < len(scanner.text) and scanner.text[end] in _LIST_NAME:
        end += 1
    name = scanner.text[begun:end]
    if not name or name[0] == "." or name[-1] == ".":
        shown = name or scanner.text[begun : begun + 1]
        scanner.fail(f'invalid list name "{shown}"', begun)
    return name, end
