"""Reads a regular expression as Rust's regex crate reads it without Unicode, which is how Cloudflare's engine uses it.

Not here: "(?u)" and the classes of Unicode that need it ("\\pL"); Cloudflare takes the first. Texts of errors are that
parser's. Source: https://docs.rs/regex-syntax/0.8/regex_syntax/ast/parse/. Pure.
"""

from dataclasses import dataclass, field
from typing import Final

from edgeworker.expressions import regex_classes as classes
from edgeworker.expressions.regex_brackets import read_brackets
from edgeworker.expressions.regex_reader import Char, Flags, RegexReader, fail, with_flag
from edgeworker.expressions.regex_tree import Alternation, Concatenation, LookAround, Node, OneOf, Repeat

MAX_DEPTH: Final = 100  # the crate's is 250
_MAX_COUNT: Final = 2**32 - 1
_NOTHING_TO_REPEAT: Final = "repetition operator missing expression"
_UNCLOSED_COUNT: Final = "unclosed counted repetition"


@dataclass(slots=True)
class _Group:
    """An open group: its alternatives so far. `flags` count again after it."""

    flags: Flags
    alternatives: list[list[Node | None]] = field(default_factory=lambda: [[]])  # None: flags, which cannot be repeated

    def node(self) -> Node:
        nodes = [_concatenate([item for item in items if item is not None]) for items in self.alternatives]
        return nodes[0] if len(nodes) == 1 else Alternation(tuple(nodes))


def parse_regex(pattern: str) -> Node:
    """Raises RegexError."""
    reader = RegexReader(pattern)
    names: set[str] = set()
    groups = [_Group(reader.flags)]
    while True:
        reader.skip_space()
        char = reader.peek()
        items = groups[-1].alternatives[-1]
        match char:
            case "":
                if len(groups) > 1:
                    fail("unclosed group")
                return groups[0].node()
            case "(":
                opened = _open_group(reader, names)
                if opened is None:
                    items.append(None)
                elif len(groups) > MAX_DEPTH:
                    fail(f"exceeds the maximum number of nested parentheses ({MAX_DEPTH})")
                else:
                    groups.append(opened)
            case ")":
                if len(groups) == 1:
                    fail("unopened group")
                closed = groups.pop()
                reader.at += 1
                reader.flags = closed.flags
                groups[-1].alternatives[-1].append(closed.node())
            case "|":
                reader.at += 1
                groups[-1].alternatives.append([])
            case "[":
                items.append(read_brackets(reader))
            case "?" | "*" | "+" | "{":
                items.append(_repeat(reader, items))
            case _:
                items.append(_read_primitive(reader))


def _concatenate(nodes: list[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Concatenation(tuple(nodes))


def _read_primitive(reader: RegexReader) -> Node:
    char, flags = reader.peek(), reader.flags
    if char == "\\":
        item = reader.read_escape()
        return _literal(item, flags) if isinstance(item, Char) else item
    reader.at += 1
    match char:
        case ".":
            if flags.dot_matches_newline:
                return OneOf(classes.ALL)
            return OneOf(classes.NOT_NEWLINE & ~classes.bytes_of(b"\r") if flags.crlf else classes.NOT_NEWLINE)
        case "^":
            return LookAround("line start" if flags.multi_line else "text start")
        case "$":
            return LookAround("line end" if flags.multi_line else "text end")
        case _:
            return _literal(Char(ord(char)), flags)


def _literal(char: Char, flags: Flags) -> Node:
    content = bytes([char.code]) if char.is_byte else chr(char.code).encode("utf-8", "surrogatepass")
    members = [classes.bytes_of(bytes([byte])) for byte in content]
    return _concatenate([OneOf(classes.fold_case(one) if flags.ignore_case else one) for one in members])


def _open_group(reader: RegexReader, names: set[str]) -> _Group | None:
    """The group that begins here, or None for flags that count from here on."""
    outer = reader.flags
    reader.advance()
    if reader.pattern.startswith(("?=", "?!", "?<=", "?<!"), reader.at):
        fail("look-around, including look-ahead and look-behind, is not supported")
    for prefix in ("?P<", "?<"):
        if reader.pattern.startswith(prefix, reader.at):
            reader.at += len(prefix)
            _read_name(reader, names)
            return _Group(outer)
    if reader.peek() != "?":
        return _Group(outer)
    reader.advance()
    if not reader.peek():
        fail("unclosed group")
    flags, any_read = _read_flags(reader)
    reader.at += 1
    if reader.pattern[reader.at - 1] == ":":
        reader.flags = flags
        return _Group(outer)
    if not any_read:
        fail(_NOTHING_TO_REPEAT)
    reader.flags = flags
    return None


def _read_flags(reader: RegexReader) -> tuple[Flags, bool]:
    """Up to ":" or ")"."""
    flags, seen, on = reader.flags, "", True
    while (char := reader.peek()) not in (":", ")"):
        if not char:
            fail("expected flag but got end of regex")
        if char == "-":
            if not on:
                fail("flag negation operator repeated")
            on = False
        elif char not in "imsuURx":
            fail("unrecognized flag")
        elif char in seen:
            fail("duplicate flag")
        else:
            flags = with_flag(flags, char, on=on)
        seen += char
        reader.advance()
    if seen.endswith("-"):
        fail("dangling flag negation operator")
    return flags, bool(seen)


def _read_name(reader: RegexReader, names: set[str]) -> None:
    begun = reader.at
    while (char := reader.peek()) != ">":
        if not char:
            fail("unclosed capture group name")
        first = reader.at == begun
        if not (char == "_" or char.isalpha() or (not first and (char in ".[]" or char.isnumeric()))):
            fail("invalid capture group character")
        reader.at += 1
    name = reader.pattern[begun : reader.at]
    reader.at += 1
    if not name:
        fail("empty capture group name")
    if name in names:
        fail("duplicate capture group name")
    names.add(name)


def _repeat(reader: RegexReader, items: list[Node | None]) -> Repeat:
    """The last of `items`, taken out and repeated as the operator says at which the reader is."""
    repeated = items.pop() if items else None
    if repeated is None:
        fail(_NOTHING_TO_REPEAT)
    least, most = {"?": (0, 1), "*": (0, None), "+": (1, None)}.get(reader.peek(), (0, 0))
    if reader.peek() == "{":
        least, most = _read_counts(reader)
    reader.advance()
    if reader.peek() == "?":
        reader.at += 1
    return Repeat(repeated, least, most)


def _read_counts(reader: RegexReader) -> tuple[int, int | None]:
    """From "{" to "}", at which the reader is afterwards."""
    reader.advance()
    least = _read_decimal(reader)
    most: int | None = least
    if reader.peek() == ",":
        reader.advance()
        if not reader.peek():
            fail(_UNCLOSED_COUNT)
        most = None if reader.peek() == "}" else _read_decimal(reader)
    if reader.peek() != "}":
        fail(_UNCLOSED_COUNT)
    if most is not None and least > most:
        fail("invalid repetition count range, the start must be <= the end")
    return least, most


def _read_decimal(reader: RegexReader) -> int:
    if not reader.peek():
        fail(_UNCLOSED_COUNT)
    digits = ""
    while (char := reader.peek()).isspace():
        reader.at += 1
    while (char := reader.peek()) and char in "0123456789":
        digits += char
        reader.advance()
    while reader.peek().isspace():
        reader.advance()
    if not digits:
        fail("repetition quantifier expects a valid decimal")
    if len(digits) > 64 or int(digits) > _MAX_COUNT:
        fail("decimal literal invalid")
    return int(digits)
