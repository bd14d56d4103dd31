"""What an expression is made of once it is parsed. Pure.

`start` and `end` are its place in the expression's text, so that an explanation can quote it.
"""

from dataclasses import dataclass
from typing import Final, Literal

from edgeworker.expressions.functions import FunctionSignature
from edgeworker.expressions.ip_ranges import Address, AddressRange
from edgeworker.expressions.regex_matcher import Regex
from edgeworker.expressions.value_types import BOOL, BOOL_ARRAY, Type
from edgeworker.expressions.wildcards import Wildcard


@dataclass(frozen=True, slots=True)
class EachElement:
    """The index `[*]`."""


EACH: Final = EachElement()

IndexKey = int | str | EachElement

CombiningOperator = Literal["or", "xor", "and"]
ComparisonOperator = Literal[
    "in", "eq", "ne", "ge", "le", "gt", "lt", "bitwise_and", "contains", "matches", "wildcard", "strict wildcard"
]


@dataclass(frozen=True, slots=True)
class FieldAccess:
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class LiteralValue:
    value: bytes | int | Address
    type: Type


@dataclass(frozen=True, slots=True)
class ListName:
    """`$name`: a list of the account."""

    name: str


@dataclass(frozen=True, slots=True)
class BytesSet:
    members: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class IntSet:
    """Ranges, both ends included."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class AddressSet:
    ranges: tuple[AddressRange, ...]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """`type` is an array where the function is applied to each element of its first argument."""

    function: FunctionSignature
    arguments: "tuple[Argument, ...]"
    type: Type


@dataclass(frozen=True, slots=True)
class Indexed:
    """A field or a call, and the indices after it. `type` is what the last index gives."""

    base: FieldAccess | FunctionCall
    indices: tuple[IndexKey, ...]
    type: Type
    start: int
    end: int

    @property
    def each_count(self) -> int:
        return sum(isinstance(index, EachElement) for index in self.indices)

    @property
    def output_type(self) -> Type:
        return Type("Array", self.type) if self.each_count else self.type


Operand = LiteralValue | Indexed | BytesSet | IntSet | AddressSet | ListName | Regex | Wildcard


@dataclass(frozen=True, slots=True)
class IsTrue:
    """A value that is a boolean, or an array of them, by itself."""

    left: Indexed
    start: int
    end: int

    @property
    def type(self) -> Type:
        return self.left.type


@dataclass(frozen=True, slots=True)
class Comparison:
    left: Indexed
    operator: ComparisonOperator
    right: Operand
    start: int
    end: int

    @property
    def type(self) -> Type:
        return BOOL_ARRAY if self.left.each_count else BOOL


@dataclass(frozen=True, slots=True)
class Not:
    item: "Logical"
    start: int
    end: int

    @property
    def type(self) -> Type:
        return self.item.type


@dataclass(frozen=True, slots=True)
class Parenthesized:
    item: "Logical"
    start: int
    end: int

    @property
    def type(self) -> Type:
        return self.item.type


@dataclass(frozen=True, slots=True)
class Quantifier:
    """`any(...)` or `all(...)`."""

    every: bool
    argument: "Indexed | Logical"
    start: int
    end: int

    @property
    def type(self) -> Type:
        return BOOL


@dataclass(frozen=True, slots=True)
class Combined:
    operator: CombiningOperator
    items: "tuple[Logical, ...]"
    start: int
    end: int

    @property
    def type(self) -> Type:
        return self.items[0].type


Logical = IsTrue | Comparison | Not | Parenthesized | Quantifier | Combined
Argument = Indexed | LiteralValue | Logical
