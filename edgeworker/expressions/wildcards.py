"""Patterns of `wildcard` and `strict wildcard`: "*" is any run of bytes, "\\*" and "\\\\" are the characters. Pure.

Source: https://developers.cloudflare.com/ruleset-engine/rules-language/operators/#wildcard-matching
"""

from dataclasses import dataclass
from typing import Final

MAX_STARS: Final = 10


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`pieces` are what stands between the stars; `strict` minds the case of ASCII letters."""

    pieces: tuple[bytes, ...]
    strict: bool

    def matches(self, value: bytes) -> bool:
        """The whole of `value`. Each piece is searched once, so the time is linear in practice and bounded always."""
        text = value if self.strict else value.lower()
        first, *middle = self.pieces
        if not middle:
            return text == first
        last = middle.pop()
        if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
            return False
        at, end = len(first), len(text) - len(last)
        for piece in middle:
            found = text.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True


def read_wildcard(pattern: bytes, *, strict: bool) -> Wildcard | str:
    """The pattern, or what is wrong with it."""
    pieces = [bytearray()]
    at, previous_was_star = 0, False
    while at < len(pattern):
        byte = pattern[at : at + 1]
        at += 1
        if byte == b"*":
            if previous_was_star:
                return "wildcard contains a double star"
            pieces.append(bytearray())
            previous_was_star = True
            continue
        previous_was_star = False
        if byte == b"\\":
            byte = pattern[at : at + 1]
            if byte not in (b"*", b"\\"):
                return f'invalid wildcard: "\\" at position {at - 1} may only stand before "*" and "\\"'
            at += 1
        pieces[-1] += byte
    if len(pieces) - 1 > MAX_STARS:
        return f"wildcard has {len(pieces) - 1} star metacharacters, but the limit is {MAX_STARS}"
    return Wildcard(tuple(bytes(piece if strict else piece.lower()) for piece in pieces), strict)
