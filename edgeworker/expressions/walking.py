"""Goes through the parts of an expression. Pure."""

from collections.abc import Iterator

from edgeworker.expressions.tree import (
    Argument,
    Combined,
    Comparison,
    FunctionCall,
    Indexed,
    IsTrue,
    LiteralValue,
    Not,
    Parenthesized,
    Quantifier,
)


def parts_of(node: Argument) -> Iterator[Argument]:
    """`node` and all that it is made of, from the outside."""
    yield node
    match node:
        case Parenthesized(item) | Not(item):
            yield from parts_of(item)
        case Combined(_, items):
            for one in items:
                yield from parts_of(one)
        case Quantifier(_, argument):
            yield from parts_of(argument)
        case IsTrue(left):
            yield from parts_of(left)
        case Comparison(left, _, right):
            yield from parts_of(left)
            if isinstance(right, Indexed):
                yield from parts_of(right)
        case Indexed(base):
            for given in base.arguments if isinstance(base, FunctionCall) else ():
                yield from parts_of(given)
        case LiteralValue():
            pass


def indexed_parts(node: Argument) -> Iterator[Indexed]:
    """Every field and call with its indices."""
    return (part for part in parts_of(node) if isinstance(part, Indexed))


def calls_in(node: Argument) -> Iterator[FunctionCall]:
    return (part.base for part in indexed_parts(node) if isinstance(part.base, FunctionCall))
