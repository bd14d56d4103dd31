"""Expressions to compare two parsers on: from a grammar, most of them well typed, and then spoilt at one place."""

from collections.abc import Sequence
from random import Random
from typing import Final

TEXT_FIELDS: Final = (
    "http.host",
    "http.request.method",
    "http.request.uri.path",
    "http.user_agent",
    "ip.src.country",
    'http.request.headers["authorization"][0]',
    'http.request.cookies["session"][0]',
    'http.request.jwt.claims.aud["b2"][0]',
    'http.request.jwt.claims.iss["b2"][0]',
    'http.request.uri.args["q"][1]',
)
TEXT_ARRAYS: Final = (
    "http.request.headers.names",
    "http.request.uri.args.values",
    'http.request.headers["cookie"]',
    'http.request.jwt.claims.aud["b2"]',
    "http.request.jwt.claims.sub.values",
)
NUMBER_FIELDS: Final = ("cf.waf.score", "http.request.timestamp.sec", 'http.request.jwt.claims.iat.sec["b2"][0]')
TRUTHS: Final = (
    "ssl",
    'is_jwt_valid("b2")',
    'is_jwt_present("b2")',
    "cf.client.bot",
    'has_key(http.request.headers, "x")',
)
TEXTS: Final = (
    '"example.com"',
    '""',
    '"a\\"b"',
    '"\\x41\\102"',
    'r"a\\b"',
    'r#"a"b"#',
    "61:62:63",
    '"é"',
    '"/api/*"',
    'r##"x"#y"##',
)
NUMBERS: Final = ("0", "1", "-5", "0x1F", "017", "9223372036854775807", "40")
ADDRESSES: Final = ("192.0.2.1", "::1", "2001:db8::8", "::ffff:1.2.3.4")
NETWORKS: Final = ("10.0.0.0/8", "10/8", "192.0.2.0..192.0.2.9", "::/10", "1.2.3.4", "2001:db8::/32")
PATTERNS: Final = (
    '"^/api/v[0-9]+/"',
    'r"^/a(b|c)*$"',
    '"[\\"a-z]+"',
    'r#"(?i)admin"#',
    'r"\\d{1,3}"',
    '"a|b"',
    'r"[[:alpha:]&&[^x]]"',
)
WILDCARDS: Final = ('"*.example.com/*"', 'r"a\\*b*"', '"exact"')
ORDERINGS: Final = ("eq", "==", "ne", "!=", "lt", "<", "le", "<=", "gt", ">", "ge", ">=")
COMBINING: Final = (" and ", " or ", " xor ", " && ", "||", " ^^ ", "\nand ", " or\r\n")
# What a mistake is made of: pieces of the language where they do not belong, and characters that it does not have.
SPOILERS: Final = (
    "",
    " ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    ",",
    ".",
    "*",
    "[*]",
    "[0]",
    '["a"]',
    "not ",
    "!",
    " and ",
    " or",
    "xor",
    " eq ",
    " in ",
    "$list",
    "$",
    "any(",
    "all(",
    "lower(",
    "len(",
    "x",
    "0",
    "9",
    "-",
    "é",
    "\t",
    "\n",
    "\\",
    "r#",
    "true",
    "ssl",
    "http.host",
    "ip.src",
    ":",
    "/",
    "..",
    "is_jwt_valid(",
    "😀",
)


class Generator:
    """Draws expressions; the same seed draws the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def expression(self) -> str:
        text = self._logical(self._random.randrange(4))
        for _ in range(self._random.choice((0, 0, 1, 1, 2))):
            text = self._spoilt(text)
        return text

    def _spoilt(self, text: str) -> str:
        at = self._random.randrange(len(text) + 1)
        cut = self._random.choice((0, 0, 1, 1, 2, 5))
        return text[:at] + self._random.choice(SPOILERS) + text[at + cut :]

    def _logical(self, depth: int) -> str:
        random = self._random
        if depth == 0:
            return self._comparison()
        match random.randrange(6):
            case 0:
                return f"({self._space()}{self._logical(depth - 1)}{self._space()})"
            case 1:
                return f"{random.choice(('not ', '!', 'not'))}{self._logical(depth - 1)}"
            case 2 | 3 | 4:
                return f"{self._logical(depth - 1)}{random.choice(COMBINING)}{self._logical(depth - 1)}"
            case _:
                return f"{random.choice(('any', 'all'))}{self._space()}({self._mapped()})"

    def _space(self) -> str:
        return self._random.choice(("", "", " ", "\n"))

    def _mapped(self) -> str:
        random = self._random
        array = random.choice(TEXT_ARRAYS)
        match random.randrange(4):
            case 0:
                return f"starts_with({array}[*], {random.choice(TEXTS)})"
            case 1:
                return f"lower({array}[*])[*] {random.choice(ORDERINGS)} {random.choice(TEXTS)}"
            case 2:
                return f"len({array}[*])[*] gt {random.choice(NUMBERS)}"
            case _:
                return f"{array}[*] {self._text_test()}"

    def _comparison(self) -> str:
        random = self._random
        match random.randrange(9):
            case 0 | 1:
                return random.choice(TRUTHS)
            case 2:
                members = " ".join(random.choices(NETWORKS, k=random.randrange(4)))
                return f"ip.src in {{{members}}}"
            case 3:
                return f"ip.src {random.choice(ORDERINGS)} {random.choice((*ADDRESSES, 'ip.src'))}"
            case 4:
                return f"{self._number()} {random.choice(ORDERINGS)} {random.choice((*NUMBERS, 'cf.waf.score'))}"
            case 5:
                ranges = " ".join(random.choices((*NUMBERS, "1..9", "-3..0x10"), k=random.randrange(4)))
                return f"{self._number()} in {{{ranges}}}"
            case 6:
                name = random.choice(("starts_with", "ends_with", "contains"))
                return f"{name}({self._text(1)},{self._space()}{random.choice((*TEXTS, 'http.host'))})"
            case _:
                return f"{self._text(1)} {self._text_test()}"

    def _text_test(self) -> str:
        random = self._random
        match random.randrange(7):
            case 0:
                return f"matches {random.choice(PATTERNS)}"
            case 1:
                return f"{random.choice(('wildcard', 'strict wildcard'))} {random.choice(WILDCARDS)}"
            case 2:
                return f"in {{{' '.join(random.choices(TEXTS, k=random.randrange(4)))}}}"
            case 3:
                return f"contains {random.choice(TEXTS)}"
            case 4:
                return f"in ${random.choice(('admins', 'a.b', '_1'))}"
            case _:
                return f"{random.choice(ORDERINGS)} {random.choice((*TEXTS, *TEXT_FIELDS))}"

    def _number(self) -> str:
        return self._random.choice((*NUMBER_FIELDS, f"len({self._text(1)})"))

    def _text(self, depth: int) -> str:
        random = self._random
        if depth == 0 or random.random() < 0.6:
            return random.choice(TEXT_FIELDS)
        return random.choice(
            (
                f"lower({self._text(depth - 1)})",
                f"concat({self._text(depth - 1)}, {random.choice(TEXTS)})",
                f"substring({self._text(depth - 1)}, 0, {random.choice(NUMBERS)})",
                f"join({random.choice(TEXT_ARRAYS)}, {random.choice(TEXTS)})",
                f"url_decode({self._text(depth - 1)})",
                f"coalesce({self._text(depth - 1)}, {random.choice(TEXTS)})",
                f'split({self._text(depth - 1)}, ",", 3)[0]',
                f'lookup_json_string({self._text(depth - 1)}, "role")',
                f"trim({self._text(depth - 1)})",
            )
        )

    def sequences(self, pieces: Sequence[str], *, count: int, longest: int) -> list[str]:
        """Texts of up to `longest` of `pieces`."""
        random = self._random
        return ["".join(random.choices(pieces, k=random.randint(1, longest))) for _ in range(count)]
