"""The selectors that HTMLRewriter knows. Pure. Texts of errors: tests/conformance/cases/html.json.

https://developers.cloudflare.com/workers/runtime-apis/html-rewriter/#selectors
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

_IDENT: Final = re.compile(r"-?(?:[_a-zA-Z\u0080-\U0010ffff]|\\.)(?:[-_a-zA-Z0-9\u0080-\U0010ffff]|\\.)*|--[-\w]*")
_STRING: Final = re.compile(r"\"((?:[^\"\\\n]|\\.)*)\"|'((?:[^'\\\n]|\\.)*)'")
_SPACE: Final = re.compile(r"[ \t\r\n\f]*")
_OPERATOR: Final = re.compile(r"[~|^$*]?=")
_NTH: Final = re.compile(r"\s*(?:(odd|even)|([+-]?\d*)n\s*(?:([+-])\s*(\d+))?|([+-]?\d+))\s*", re.IGNORECASE)
_EMPTY: Final = "The selector is empty."
_END: Final = "Unexpected end of selector."
_TOKEN: Final = "Unexpected token in selector."


class SelectorError(Exception):
    """What cannot be matched; the text is workerd's."""


class Node(Protocol):
    """What is asked of an open element. `index` and `index_of_type` count from 1 among its siblings."""

    @property
    def tag(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def index_of_type(self) -> int: ...
    def attribute(self, name: str) -> str | None: ...


# For each part of a selector between commas, as bits: up to which compounds the element itself is a match, and up to
# which compounds it or an element around it is.
Reached = tuple[tuple[int, int], ...]
Condition = Callable[[Node], bool]


@dataclass(frozen=True, slots=True)
class _Compound:
    """`child`: what stands before it must be its parent, not just an ancestor."""

    conditions: tuple[Condition, ...]
    child: bool = False

    def takes(self, node: Node) -> bool:
        return all(condition(node) for condition in self.conditions)


class Selector:
    """Several, separated by commas: one of them must match. Raises SelectorError."""

    def __init__(self, text: str) -> None:
        self._chains = _SelectorParser(text).selectors()

    @property
    def outside(self) -> Reached:
        """What is reached where no element is open."""
        return ((0, 0),) * len(self._chains)

    def match(self, node: Node, above: Reached) -> tuple[bool, Reached]:
        """Whether it takes an element, and what is `above` for the elements in it. The cost does not depend on how
        deep they lie."""
        reached = tuple(_advance(chain, node, *parent) for chain, parent in zip(self._chains, above, strict=True))
        taken = any(here >> (len(chain) - 1) & 1 for chain, (here, _) in zip(self._chains, reached, strict=True))
        return taken, reached


def _advance(chain: Sequence[_Compound], node: Node, parent: int, anywhere: int) -> tuple[int, int]:
    here = 0
    for number, compound in enumerate(chain):
        before = number == 0 or (parent if compound.child else anywhere) >> (number - 1) & 1
        if before and compound.takes(node):
            here |= 1 << number
    return here, anywhere | here


class _SelectorParser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def selectors(self) -> list[list[_Compound]]:
        found = [self._chain()]
        while self._take(","):
            found.append(self._chain())
        if self._at < len(self._text):
            raise SelectorError(_TOKEN)
        return found

    def _chain(self) -> list[_Compound]:
        self._skip()
        chain = [_Compound(self._compound())]
        while True:
            spaced = self._skip()
            following = self._peek()
            if following in ("", ",", ")"):
                return chain
            if following in ("+", "~"):
                raise SelectorError(f"Unsupported combinator `{following}` in selector.")
            child = self._take(">")
            if not child and not spaced:
                raise SelectorError(_TOKEN)
            self._skip()
            chain.append(_Compound(self._compound(), child))

    def _compound(self) -> tuple[Condition, ...]:
        conditions: list[Condition] = []
        if self._take("*"):
            conditions.append(lambda _: True)
        elif (name := _IDENT.match(self._text, self._at)) is not None:
            self._at = name.end()
            conditions.append(_match_type(_plain(name[0]).lower()))
        if self._peek() == "|":
            raise SelectorError("Selectors with explicit namespaces are not supported.")
        while (kind := self._peek()) and kind in ".#[:":
            self._at += 1
            conditions.append(self._condition(kind))
        if not conditions:
            raise SelectorError(_EMPTY)
        return tuple(conditions)

    def _condition(self, kind: str) -> Condition:
        match kind:
            case ".":
                return _with_class(self._ident())
            case "#":
                return _with_id(self._ident())
            case "[":
                return self._attribute()
            case _:
                return self._pseudo()

    def _attribute(self) -> Condition:
        self._skip()
        name = self._ident()
        self._skip()
        if self._take("]"):
            return lambda node: node.attribute(name) is not None
        operator = _OPERATOR.match(self._text, self._at)
        if operator is None:
            raise SelectorError(_TOKEN if self._peek() else _END)
        self._at = operator.end()
        self._skip()
        string = _STRING.match(self._text, self._at)
        if string is not None:
            self._at = string.end()
            value = _plain(string[1] if string[1] is not None else string[2])
        else:
            value = self._ident()
        self._skip()
        no_case = self._peek() in ("i", "I")
        if no_case or self._peek() in ("s", "S"):
            self._at += 1
            self._skip()
        if not self._take("]"):
            raise SelectorError(_TOKEN if self._peek() else _END)
        return _with_attribute(name, operator[0], value, no_case=no_case)

    def _pseudo(self) -> Condition:
        name = _IDENT.match(self._text, self._at)
        unknown = SelectorError("Unsupported pseudo-class or pseudo-element in selector.")
        if name is None:
            raise unknown
        self._at = name.end()
        match name[0].lower():
            case "first-child":
                return lambda node: node.index == 1
            case "first-of-type":
                return lambda node: node.index_of_type == 1
            case "nth-child" if self._take("("):
                of_child = self._nth()
                return lambda node: of_child(node.index)
            case "nth-of-type" if self._take("("):
                of_type = self._nth()
                return lambda node: of_type(node.index_of_type)
            case "not" if self._take("("):
                self._skip()
                inner = self._compound()
                self._skip()
                if not self._take(")"):
                    raise SelectorError(_TOKEN if self._peek() else _END)
                return lambda node: not all(condition(node) for condition in inner)
            case _:
                raise unknown

    def _nth(self) -> Callable[[int], bool]:
        found = _NTH.match(self._text, self._at)
        if found is None:
            raise SelectorError(_TOKEN)
        self._at = found.end()
        if not self._take(")"):
            raise SelectorError(_TOKEN if self._peek() else _END)
        word, step, sign, offset, number = found.groups()
        if word is not None:
            a, b = 2, 1 if word.lower() == "odd" else 0
        elif number is not None:
            a, b = 0, int(number)
        else:
            a = int(step + "1") if step in ("", "+", "-") else int(step)
            b = 0 if offset is None else int(sign + offset)
        return lambda index: index == b if a == 0 else (index - b) % a == 0 and (index - b) // a >= 0

    def _ident(self) -> str:
        found = _IDENT.match(self._text, self._at)
        if found is None:
            raise SelectorError(_TOKEN if self._peek() else _END)
        self._at = found.end()
        return _plain(found[0])

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self._at += 1
        return True

    def _skip(self) -> bool:
        found = _SPACE.match(self._text, self._at)
        assert found is not None
        self._at = found.end()
        return bool(found[0])


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _match_type(name: str) -> Condition:
    return lambda node: node.tag == name


def _with_class(name: str) -> Condition:
    return lambda node: name in (node.attribute("class") or "").split()


def _with_id(name: str) -> Condition:
    return lambda node: node.attribute("id") == name


def _with_attribute(name: str, operator: str, value: str, *, no_case: bool) -> Condition:
    wanted = value.lower() if no_case else value

    def condition(node: Node) -> bool:
        found = node.attribute(name)
        if found is None:
            return False
        found = found.lower() if no_case else found
        match operator:
            case "=":
                return found == wanted
            case "~=":
                return wanted in found.split()
            case "|=":
                return found == wanted or found.startswith(f"{wanted}-")
            case "^=":
                return bool(wanted) and found.startswith(wanted)
            case "$=":
                return bool(wanted) and found.endswith(wanted)
            case _:
                return bool(wanted) and wanted in found

    return condition
