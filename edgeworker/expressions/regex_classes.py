"""Sets of bytes, as regular expressions without Unicode have them. Pure.

A set is an int of 256 bits: bit n is byte n.
"""

from typing import Final

ALL: Final = (1 << 256) - 1


def bytes_between(first: int, last: int) -> int:
    return (1 << (last + 1)) - (1 << first)


def bytes_of(members: bytes) -> int:
    result = 0
    for byte in members:
        result |= 1 << byte
    return result


DIGIT: Final = bytes_between(0x30, 0x39)
UPPER: Final = bytes_between(0x41, 0x5A)
LOWER: Final = bytes_between(0x61, 0x7A)
SPACE: Final = bytes_of(b"\t\n\v\f\r ")
WORD: Final = DIGIT | UPPER | LOWER | bytes_of(b"_")
NOT_NEWLINE: Final = ALL & ~bytes_of(b"\n")

PERL: Final = {
    "d": DIGIT,
    "D": ALL & ~DIGIT,
    "s": SPACE,
    "S": ALL & ~SPACE,
    "w": WORD,
    "W": ALL & ~WORD,
}

NAMED: Final = {
    "alnum": DIGIT | UPPER | LOWER,
    "alpha": UPPER | LOWER,
    "ascii": bytes_between(0, 0x7F),
    "blank": bytes_of(b"\t "),
    "cntrl": bytes_between(0, 0x1F) | bytes_of(b"\x7f"),
    "digit": DIGIT,
    "graph": bytes_between(0x21, 0x7E),
    "lower": LOWER,
    "print": bytes_between(0x20, 0x7E),
    "punct": bytes_between(0x21, 0x7E) & ~(DIGIT | UPPER | LOWER),
    "space": SPACE,
    "upper": UPPER,
    "word": WORD,
    "xdigit": DIGIT | bytes_of(b"abcdefABCDEF"),
}


def fold_case(members: int) -> int:
    """With the other case of each ASCII letter."""
    return members | (members & UPPER) << 32 | (members & LOWER) >> 32
