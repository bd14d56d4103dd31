"""HTML in pieces as tokens, so that what no handler changes goes out as it came in. Pure.

Source: https://html.spec.whatwg.org/multipage/parsing.html#tokenization, as far as it decides where a token ends; the
pieces of texts are those of workerd (tests/conformance/cases/html.json). A tree is not built, nor does one close what
HTML would close by itself.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

# Their content is text up to their own end tag.
RAW_TEXT: Final = frozenset(
    {"iframe", "noembed", "noframes", "noscript", "script", "style", "textarea", "title", "xmp"}
)
VOID: Final = frozenset(
    [
        "area",
        "base",
        "basefont",
        "bgsound",
        "br",
        "col",
        "embed",
        "frame",
        "hr",
        "img",
        "input",
        "keygen",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
# One tag or comment; a longer one does not come from a page.
MAX_TOKEN_CHARACTERS: Final = 1024 * 1024

_NAME: Final = re.compile(r"[^\s/>]*")
_BETWEEN: Final = re.compile(r"[\s/]*")
_SPACE: Final = re.compile(r"\s*")
_ATTRIBUTE_NAME: Final = re.compile(r"=?[^\s/>=]*")
_UNQUOTED: Final = re.compile(r"[^\s>]*")
_RAW_END: Final = re.compile(r"</?[a-zA-Z]*")
_DOCTYPE: Final = re.compile(
    r"""\s*([^\s>]*)\s*(?:(public)\s*(?:"([^"]*)"|'([^']*)')?|(system))?\s*(?:"([^"]*)"|'([^']*)')?""", re.IGNORECASE
)


class TokenTooLong(Exception):
    """A tag or comment of more than MAX_TOKEN_CHARACTERS."""


@dataclass(slots=True)
class Attribute:
    """`raw` is how it stood in the tag; None once it was changed."""

    name: str
    value: str
    raw: str | None


@dataclass(slots=True)
class StartTagToken:
    raw: str
    name: str  # in lower case
    attributes: list[Attribute] = field(default_factory=list)
    self_closing: bool = False


@dataclass(slots=True)
class EndTagToken:
    raw: str
    name: str


@dataclass(slots=True)
class TextToken:
    """`last`: nothing more of this text comes; it is empty then."""

    raw: str
    last: bool = False


@dataclass(slots=True)
class CommentToken:
    raw: str
    text: str


@dataclass(slots=True)
class DoctypeToken:
    raw: str
    name: str | None
    public_id: str | None
    system_id: str | None


@dataclass(slots=True)
class RawToken:
    """What is neither of these and is handed on."""

    raw: str


Token = StartTagToken | EndTagToken | TextToken | CommentToken | DoctypeToken | RawToken


class Tokenizer:
    """`feed` gives the tokens that a piece completes. The reader sets `raw_text` after a start tag."""

    def __init__(self) -> None:
        self.raw_text: str | None = None  # the element whose content is text
        self._rest = ""
        self._in_text = False

    def feed(self, piece: str, *, final: bool = False) -> Iterator[Token]:
        """Raises TokenTooLong."""
        text, at = self._rest + piece, 0
        while at < len(text):
            found = self._token(text, at, final=final)
            if found is None:
                break
            token, at = found
            if isinstance(token, TextToken):
                self._in_text = True
            elif self._in_text:
                self._in_text = False
                yield TextToken("", last=True)
            yield token
        self._rest = text[at:]
        if len(self._rest) > MAX_TOKEN_CHARACTERS:
            raise TokenTooLong
        if final and self._rest:
            yield from self._read_unfinished(self._rest)
        if final and self._in_text:
            yield TextToken("", last=True)

    def _read_unfinished(self, rest: str) -> Iterator[Token]:
        if self._in_text and not rest.startswith("<!--"):
            self._in_text = False
            yield TextToken("", last=True)
        yield CommentToken(rest, rest[4:]) if rest.startswith("<!--") else RawToken(rest)

    def _token(self, text: str, at: int, *, final: bool) -> tuple[Token, int] | None:
        """The token at `at` and where it ends; None: more is needed to tell."""
        if text[at] != "<":
            end = text.find("<", at)
            end = len(text) if end < 0 else end
            return TextToken(text[at:end]), end
        if self.raw_text is not None:
            return self._in_raw_text(text, at, final=final)
        following = text[at + 1 : at + 2]
        if following.isascii() and following.isalpha():
            return _tag(text, at)
        match following:
            case "/":
                return self._end(text, at, final=final)
            case "!":
                return _declaration(text, at, final=final)
            case "?":
                return _bogus(text, at, at + 1)
            case "" if not final:
                return None
            case _:
                return TextToken("<"), at + 1

    def _end(self, text: str, at: int, *, final: bool) -> tuple[Token, int] | None:
        following = text[at + 2 : at + 3]
        if not following:
            return (TextToken("</"), at + 2) if final else None
        if following == ">":
            return RawToken("</>"), at + 3
        if following.isascii() and following.isalpha():
            return _tag(text, at)
        return _bogus(text, at, at + 2)

    def _in_raw_text(self, text: str, at: int, *, final: bool) -> tuple[Token, int] | None:
        found = _RAW_END.match(text, at)
        assert found is not None
        end = found.end()
        if end == len(text) and not final:
            return None
        if (
            found[0][:2] == "</"
            and found[0][2:].lower() == self.raw_text
            and text[end : end + 1] in tuple(" \t\n\f\r/>")
        ):
            return _tag(text, at)
        return (TextToken(found[0]), end) if found[0][:2] == "</" else (TextToken("<"), at + 1)


def _declaration(text: str, at: int, *, final: bool) -> tuple[Token, int] | None:
    start = text[at : at + 9].lower()
    if start.startswith("<!--"):
        return _comment(text, at)
    if start == "<!doctype":
        end = text.find(">", at)
        return None if end < 0 else (_doctype(text[at : end + 1]), end + 1)
    if not final and ("<!doctype".startswith(start) or "<!--".startswith(start)):
        return None
    return _bogus(text, at, at + 2)


def _comment(text: str, at: int) -> tuple[Token, int] | None:
    body = at + 4
    for short in (">", "->"):
        if text.startswith(short, body):
            return CommentToken(text[at : body + len(short)], ""), body + len(short)
    ends = [(text.find(mark, body), len(mark)) for mark in ("-->", "--!>")]
    found = min((end for end in ends if end[0] >= 0), default=None)
    if found is None:
        return None
    end, length = found
    return CommentToken(text[at : end + length], text[body:end]), end + length


def _bogus(text: str, at: int, body: int) -> tuple[Token, int] | None:
    end = text.find(">", at)
    return None if end < 0 else (CommentToken(text[at : end + 1], text[body:end]), end + 1)


def _doctype(raw: str) -> DoctypeToken:
    found = _DOCTYPE.match(raw[len("<!doctype") : -1])
    assert found is not None
    name, public, one, other, _, two, three = found.groups()
    public_id = None if not public else one if one is not None else other
    return DoctypeToken(raw, name.lower() or None, public_id, two if two is not None else three)


def _tag(text: str, at: int) -> tuple[Token, int] | None:
    """A start or an end tag, of which the quotes decide where it ends."""
    is_end = text[at + 1] == "/"
    name = _NAME.match(text, at + 1 + is_end)
    assert name is not None
    attributes: list[Attribute] = []
    place, size, self_closing = name.end(), len(text), False
    while True:
        between = _BETWEEN.match(text, place)
        assert between is not None
        place = between.end()
        if place == size:
            return None
        if text[place] == ">":
            self_closing = between[0].endswith("/")
            break
        found = _attribute(text, place)
        if found is None:
            return None
        attribute, place = found
        attributes.append(attribute)
    raw = text[at : place + 1]
    if is_end:
        return EndTagToken(raw, name[0].lower()), place + 1
    return StartTagToken(raw, name[0].lower(), attributes, self_closing), place + 1


def _attribute(text: str, at: int) -> tuple[Attribute, int] | None:
    name = _ATTRIBUTE_NAME.match(text, at)
    assert name is not None
    equals = _SPACE.match(text, name.end())
    assert equals is not None
    if equals.end() == len(text):
        return None
    if text[equals.end()] != "=":
        return Attribute(name[0].lower(), "", name[0]), name.end()
    space = _SPACE.match(text, equals.end() + 1)
    assert space is not None
    start = space.end()
    quote = text[start : start + 1]
    if quote in ('"', "'"):
        end = text.find(quote, start + 1)
        if end < 0:
            return None
        return Attribute(name[0].lower(), text[start + 1 : end], text[at : end + 1]), end + 1
    value = _UNQUOTED.match(text, start)
    assert value is not None
    if value.end() == len(text):
        return None
    return Attribute(name[0].lower(), value[0], text[at : value.end()]), value.end()
