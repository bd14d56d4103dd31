"""What an expression says about tokens alone: whether it holds for every, some or no outcome of validation. Pure.

Everything else that it asks (a method, a header) is taken as an unknown truth value, the same for the same text.
"""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

from edgeworker.expressions import RuleExpression
from edgeworker.expressions.functions import IS_JWT_PRESENT, IS_JWT_VALID
from edgeworker.expressions.tree import (
    Combined,
    Comparison,
    FunctionCall,
    IsTrue,
    LiteralValue,
    Logical,
    Not,
    Parenthesized,
    Quantifier,
)

MAX_ATOMS: Final = 12
Atom = tuple[str, str]  # ("valid" | "present", configuration id), or ("other", text)


def atoms_of(expression: RuleExpression) -> list[Atom]:
    return list(dict.fromkeys(_atoms(expression.root, expression.text)))


def is_always(expression: RuleExpression, value: bool) -> bool:
    """Whether it comes to `value` for every outcome. False where there are too many to try."""
    atoms = atoms_of(expression)
    if len(atoms) > MAX_ATOMS:
        return False
    return all(_evaluate(expression.root, expression.text, one) is value for one in _outcomes(atoms))


def passes_invalid_tokens(expression: RuleExpression) -> bool:
    """Whether it holds where every token is there and none is valid, and nothing else that it asks for is true."""
    outcome = {atom: atom[0] == "present" for atom in atoms_of(expression)}
    return _evaluate(expression.root, expression.text, outcome)


def _outcomes(atoms: list[Atom]) -> Iterator[Mapping[Atom, bool]]:
    for values in product((False, True), repeat=len(atoms)):
        outcome = dict(zip(atoms, values, strict=True))
        # A token that is valid is present.
        if all(
            outcome.get(("present", name), True) for (kind, name), true in outcome.items() if kind == "valid" and true
        ):
            yield outcome


def _atoms(node: Logical, text: str) -> Iterator[Atom]:
    match node:
        case Parenthesized(item) | Not(item):
            yield from _atoms(item, text)
        case Combined(_, items):
            for item in items:
                yield from _atoms(item, text)
        case IsTrue() | Comparison() | Quantifier():
            yield _atom(node, text)


def _atom(node: IsTrue | Comparison | Quantifier, text: str) -> Atom:
    if isinstance(node, IsTrue) and isinstance(node.left.base, FunctionCall):
        call = node.left.base
        argument = call.arguments[0]
        if isinstance(argument, LiteralValue) and isinstance(argument.value, bytes):
            name = argument.value.decode("utf-8", "replace")
            if call.function is IS_JWT_VALID:
                return "valid", name
            if call.function is IS_JWT_PRESENT:
                return "present", name
    return "other", text[node.start : node.end]


def _evaluate(node: Logical, text: str, outcome: Mapping[Atom, bool]) -> bool:
    match node:
        case Parenthesized(item):
            return _evaluate(item, text, outcome)
        case Not(item):
            return not _evaluate(item, text, outcome)
        case Combined(operator, items):
            values = [_evaluate(item, text, outcome) for item in items]
            return all(values) if operator == "and" else any(values) if operator == "or" else sum(values) % 2 == 1
        case IsTrue() | Comparison() | Quantifier():
            return outcome[_atom(node, text)]
