"""What a regular expression is made of. Pure."""

from dataclasses import dataclass
from typing import Literal

Look = Literal[
    "text start",
    "text end",
    "line start",
    "line end",
    "boundary",
    "no boundary",
    "word start",
    "word end",
    "word start half",
    "word end half",
]


@dataclass(frozen=True, slots=True)
class OneOf:
    """One byte of a set (see edgeworker.expressions.regex_classes)."""

    members: int


@dataclass(frozen=True, slots=True)
class LookAround:
    look: Look


@dataclass(frozen=True, slots=True)
class Repeat:
    """`most` None: without end. Greedy or lazy is the same where only "does it match?" is asked."""

    node: "Node"
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Concatenation:
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Alternation:
    nodes: tuple["Node", ...]


Node = OneOf | LookAround | Repeat | Concatenation | Alternation
