"""Parses an expression, with the grammar, the types and the places of errors of Cloudflare's engine. Pure.

The engine has no tokens: each rule reads characters where the last one stopped. So does this parser, because that
decides what is accepted ("orssl" is "or ssl") and at which column a mistake is shown.
"""

from dataclasses import dataclass
from typing import Final

from edgeworker.expressions.functions import FunctionSignature
from edgeworker.expressions.operands import (
    COMPARABLE,
    read_literal,
    read_regex_operand,
    read_set,
    read_wildcard_operand,
)
from edgeworker.expressions.scanning import IDENTIFIER_START, Scanner
from edgeworker.expressions.schema import Schema
from edgeworker.expressions.syntax_error import ExpressionError
from edgeworker.expressions.tree import (
    EACH,
    Argument,
    Combined,
    CombiningOperator,
    Comparison,
    ComparisonOperator,
    FieldAccess,
    FunctionCall,
    Indexed,
    IndexKey,
    IsTrue,
    LiteralValue,
    Logical,
    Not,
    Operand,
    Parenthesized,
    Quantifier,
)
from edgeworker.expressions.value_types import BOOL, BOOL_ARRAY, BYTES, INT, IP, Type

MAX_NESTING: Final = 128
MAX_EXPRESSION_BYTES: Final = 4096  # https://developers.cloudflare.com/ruleset-engine/rules-language/expressions/

# In the order in which the engine tries them; where one is the beginning of another, the first wins.
_COMPARISONS: Final[tuple[tuple[str, ComparisonOperator], ...]] = (
    ("in", "in"),
    ("eq", "eq"),
    ("==", "eq"),
    ("ne", "ne"),
    ("!=", "ne"),
    ("ge", "ge"),
    (">=", "ge"),
    ("le", "le"),
    ("<=", "le"),
    ("gt", "gt"),
    (">", "gt"),
    ("lt", "lt"),
    ("<", "lt"),
    ("&", "bitwise_and"),
    ("bitwise_and", "bitwise_and"),
    ("contains", "contains"),
    ("~", "matches"),
    ("matches", "matches"),
    ("wildcard", "wildcard"),
    ("strict wildcard", "strict wildcard"),
)
_COMBINING: Final[tuple[tuple[str, CombiningOperator], ...]] = (
    ("or", "or"),
    ("||", "or"),
    ("xor", "xor"),
    ("^^", "xor"),
    ("and", "and"),
    ("&&", "and"),
)
_PRECEDENCE: Final[dict[CombiningOperator | None, int]] = {None: -1, "or": 0, "xor": 1, "and": 2}
_NEGATIONS: Final = ("not", "!")
_QUANTIFIERS: Final = ("any", "all")
_MAX_INDEX: Final = 2**32 - 1
_NOT_AN_INDEX: Final = 'expected literal "expected quoted utf8 string or positive integer"'
_HEX_LETTERS: Final = frozenset("abcdefABCDEF")

# An operator that was seen, and where its right side begins; or none, and where the left side ends.
_Ahead = tuple[CombiningOperator | None, int]


@dataclass(frozen=True, slots=True)
class RuleExpression:
    """A parsed expression and its text."""

    text: str
    root: Logical


def parse(text: str, schema: Schema) -> RuleExpression:
    """Raises ExpressionError."""
    if len(text) > MAX_EXPRESSION_BYTES:
        reason = f"the expression is longer than {MAX_EXPRESSION_BYTES} characters"
        raise ExpressionError(reason, text, MAX_EXPRESSION_BYTES, len(text))
    parser = _ExpressionParser(Scanner(text), schema)
    root, at = parser.logical(parser.scanner.start, 0)
    if root.type != BOOL:
        parser.scanner.fail(_mismatch(BOOL, root.type), at)
    if at < len(parser.scanner.text):
        parser.scanner.fail("unrecognised input", at)
    return RuleExpression(text, root)


def parse_value(text: str, schema: Schema) -> Indexed | LiteralValue:
    """A value by itself: a field, a call, or a constant text. Raises ExpressionError."""
    if len(text) > MAX_EXPRESSION_BYTES:
        reason = f"the expression is longer than {MAX_EXPRESSION_BYTES} characters"
        raise ExpressionError(reason, text, MAX_EXPRESSION_BYTES, len(text))
    parser = _ExpressionParser(Scanner(text), schema)
    scanner = parser.scanner
    value: Indexed | LiteralValue
    if scanner.text.startswith('"', scanner.start):
        value, at = read_literal(scanner, scanner.start, BYTES)
    else:
        value, at = parser.indexed(scanner.start, 0)
    if at < len(scanner.text):
        scanner.fail("unrecognised input", at)
    return value


def _mismatch(expected: Type, actual: Type) -> str:
    return f"expected value of type {expected}, but got {actual}"


class _ExpressionParser:
    """Every method reads at a position and gives what it read and where it stopped; `depth` counts nesting."""

    def __init__(self, scanner: Scanner, schema: Schema) -> None:
        self.scanner = scanner
        self._schema = schema

    def logical(self, at: int, depth: int) -> tuple[Logical, int]:
        first, at = self._simple(at, depth)
        return self._combine(first, None, self._look_ahead(at), depth)

    def _look_ahead(self, at: int) -> _Ahead:
        begun = self.scanner.skip_space(at)
        for spelling, operator in _COMBINING:
            if self.scanner.text.startswith(spelling, begun):
                return operator, self.scanner.skip_space(begun + len(spelling))
        return None, at

    def _combine(
        self, left: Logical, least: CombiningOperator | None, ahead: _Ahead, depth: int
    ) -> tuple[Logical, int]:
        """`left` with all that follows it and binds at least as tightly as `least`."""
        while (operator := ahead[0]) is not None:
            right, at = self._simple(ahead[1], depth)
            while True:
                ahead = self._look_ahead(at)
                if _PRECEDENCE[ahead[0]] <= _PRECEDENCE[operator]:
                    break
                right, at = self._combine(right, ahead[0], ahead, depth)
            if (left.type == BOOL) != (right.type == BOOL):
                self.scanner.fail(_mismatch(left.type, right.type), ahead[1])
            items = left.items if isinstance(left, Combined) and left.operator == operator else (left,)
            left = Combined(operator, (*items, right), left.start, right.end)
            if _PRECEDENCE[ahead[0]] < _PRECEDENCE[least]:
                ahead = (None, at)
        return left, ahead[1]

    def _simple(self, at: int, depth: int) -> tuple[Logical, int]:
        scanner = self.scanner
        if scanner.text.startswith("(", at):
            self._check_depth(depth, at)
            inner, end = self.logical(scanner.skip_space(at + 1), depth + 1)
            end = scanner.expect(scanner.skip_space(end), ")")
            return Parenthesized(inner, at, end), end
        for word in _NEGATIONS:
            if scanner.text.startswith(word, at):
                self._check_depth(depth, at)
                item, end = self._simple(scanner.skip_space(at + len(word)), depth + 1)
                return Not(item, at, end), end
        opening = self._quantifier_opening(at)
        if opening is not None:
            self._check_depth(depth, opening)
            argument, end = self._quantifier_argument(scanner.skip_space(opening + 1), depth + 1)
            end = scanner.expect(scanner.skip_space(end), ")")
            return Quantifier(scanner.text.startswith("all", at), argument, at, end), end
        left, end = self.indexed(at, depth)
        return self._comparison(left, end, depth)

    def _check_depth(self, depth: int, at: int) -> None:
        if depth >= MAX_NESTING:
            self.scanner.fail(f"maximum nesting depth exceeded (limit: {MAX_NESTING})", at)

    def _quantifier_opening(self, at: int) -> int | None:
        """Where the "(" of an `any(` or `all(` is."""
        if not self.scanner.text.startswith(_QUANTIFIERS, at):
            return None
        opening = self.scanner.skip_space(at + len(_QUANTIFIERS[0]))
        return opening if self.scanner.text.startswith("(", opening) else None

    def _quantifier_argument(self, at: int, depth: int) -> tuple[Indexed | Logical, int]:
        argument, end = self._argument(at, depth)
        if isinstance(argument, LiteralValue) or argument.type != BOOL_ARRAY:
            self.scanner.fail(_mismatch(BOOL_ARRAY, argument.type), at, end)
        return argument, end

    def _comparison(self, left: Indexed, at: int, depth: int) -> tuple[IsTrue | Comparison, int]:
        scanner = self.scanner
        if left.type == BOOL:
            return IsTrue(left, left.start, at), at
        if left.type.of == BOOL:
            if left.each_count:
                scanner.fail("cannot perform this operation on type Array<Array<Bool>>", at, at)
            return IsTrue(left, left.start, at), at
        begun = scanner.skip_space(at)
        for spelling, operator in _COMPARISONS:  # noqa: B007
            if scanner.text.startswith(spelling, begun):
                break
        else:
            scanner.fail("expected ComparisonOp", begun)
        after = begun + len(spelling)
        found = self._operand(left.type, operator, scanner.skip_space(after), depth)
        if found is None:
            scanner.fail(f"cannot perform this operation on type {left.type}", begun, after)
        right, end = found
        return Comparison(left, operator, right, left.start, end), end

    def _operand(self, type_: Type, operator: ComparisonOperator, at: int, depth: int) -> tuple[Operand, int] | None:
        """The right side, or None where the operator is not for this type."""
        if type_ not in COMPARABLE:
            return None
        match operator:
            case "in":
                return read_set(self.scanner, at, type_)
            case "eq" | "ne" | "ge" | "le" | "gt" | "lt":
                return self._ordered_operand(type_, at, depth)
            case "bitwise_and":
                return self._ordered_operand(type_, at, depth) if type_ == INT else None
            case _ if type_ != BYTES:
                return None
            case "contains":
                return read_literal(self.scanner, at, BYTES)
            case "matches":
                return read_regex_operand(self.scanner, at)
            case "wildcard" | "strict wildcard":
                return read_wildcard_operand(self.scanner, at, strict=operator == "strict wildcard")

    def _ordered_operand(self, type_: Type, at: int, depth: int) -> tuple[LiteralValue | Indexed, int]:
        """A constant, or what may stand for one: a field or a call."""
        if self.scanner.text[at : at + 1] not in IDENTIFIER_START:
            return read_literal(self.scanner, at, type_)
        if type_ != INT:
            try:
                return read_literal(self.scanner, at, type_)
            except ExpressionError:
                pass  # "r" and hexadecimal digits begin a name as well
        operand, end = self.indexed(at, depth)
        if operand.output_type != type_:
            self.scanner.fail(_mismatch(type_, operand.output_type), at, end)
        return operand, end

    def indexed(self, begun: int, depth: int) -> tuple[Indexed, int]:
        scanner = self.scanner
        name, at = scanner.identifier(begun)
        function, type_ = self._schema.functions.get(name), self._schema.fields.get(name)
        base: FieldAccess | FunctionCall
        if function is not None:
            opening = scanner.skip_space(at)
            self._check_depth(depth, opening)
            base, at = self._call(function, opening, depth + 1)
            type_ = base.type
        elif type_ is not None:
            base = FieldAccess(name, type_)
        else:
            scanner.fail("unknown identifier", begun, at)
        indices: list[IndexKey] = []
        while scanner.text.startswith("[", at):
            key, end = self._index_key(scanner.skip_space(at + 1))
            end = scanner.expect(scanner.skip_space(end), "]")
            taken = {str: ("Map",), int: ("Array",)}.get(type(key), ("Map", "Array"))
            if type_.of is None or type_.kind not in taken:
                scanner.fail(f"cannot access index {scanner.text[at:end]} for type {type_}", at, end)
            type_, at = type_.of, end
            indices.append(key)
        return Indexed(base, tuple(indices), type_, begun, at), at

    def _index_key(self, at: int) -> tuple[IndexKey, int]:
        scanner = self.scanner
        if scanner.text.startswith("*", at):
            return EACH, at + 1
        if scanner.text.startswith('"', at):
            literal, end = read_literal(scanner, at, BYTES)
            assert isinstance(literal.value, bytes)
            try:
                return literal.value.decode(), end
            except UnicodeDecodeError:
                scanner.fail('expected literal "expected utf8 string"', at)
        try:
            index, end = scanner.integer(at)
        except ExpressionError:
            scanner.fail(_NOT_AN_INDEX, at)
        if not 0 <= index <= _MAX_INDEX:
            scanner.fail('expected literal "expected positive integer as index"', at)
        return index, end

    def _call(self, function: FunctionSignature, at: int, depth: int) -> tuple[FunctionCall, int]:
        scanner = self.scanner
        at = scanner.skip_space(scanner.expect(at, "("))
        arguments: list[Argument] = []
        while at < len(scanner.text) and scanner.text[at] != ")":
            if arguments:
                at = scanner.expect(at, ",")
            at = scanner.skip_space(at)
            argument, end = self._argument(at, depth)
            if isinstance(argument, Indexed) and argument.each_count and arguments:
                scanner.fail("invalid use of map each access operator", at, end)
            self._check_argument(function, arguments, argument, at, end)
            arguments.append(argument)
            at = scanner.skip_space(end)
        if len(arguments) < function.least:
            scanner.fail(_wrong_count(function), at)
        at = scanner.expect(at, ")")
        returns = function.returns or arguments[0].type
        first = arguments[0]
        mapped = isinstance(first, Indexed) and first.each_count > 0
        return FunctionCall(function, tuple(arguments), Type("Array", returns) if mapped else returns), at

    def _check_argument(
        self, function: FunctionSignature, before: list[Argument], argument: Argument, at: int, end: int
    ) -> None:
        index = len(before)
        first = before[0].type if before else None
        parameter = function.parameter(index, first)
        if parameter is None:
            self.scanner.fail(_wrong_count(function), at)
        is_constant = isinstance(argument, LiteralValue)
        if parameter.takes != "either" and is_constant != (parameter.takes == "constant"):
            expected, actual = ("Literal", "Field") if parameter.takes == "constant" else ("Field", "Literal")
            self.scanner.fail(
                f"invalid kind of argument #{index}: expected argument of kind {expected}, but got {actual}", at, end
            )
        same = first if function.rest == "same" else None
        expected_types = (same,) if same is not None else parameter.types
        fits = argument.type in expected_types
        if not fits and function.takes_everything and same is None:
            fits = argument.type.kind == "Array"
        if not fits:
            shown = " or ".join(str(type_) for type_ in expected_types)
            self.scanner.fail(f"invalid type of argument #{index}: {_mismatch_of(shown, argument.type)}", at, end)

    def _argument(self, at: int, depth: int) -> tuple[Argument, int]:
        """A constant, a value, or something logical. Its first three characters say which it may be."""
        scanner = self.scanner
        one, two, three = (scanner.text[at + n : at + n + 1] for n in range(3))
        if one == '"' or (one == "r" and two in ("#", '"') and two):
            return read_literal(scanner, at, BYTES)
        if one == "(" or scanner.text.startswith(_NEGATIONS, at) or self._quantifier_opening(at) is not None:
            return self.logical(at, depth)
        certain = (
            _only_in_names(one)
            or (_in_names(one) and _only_in_names(two))
            or (_in_names(one) and _in_names(two) and _only_in_names(three))
        )
        try:
            value, end = self.indexed(at, depth)
        except ExpressionError:
            if certain:
                raise
            return self._constant(at)
        ahead = scanner.skip_space(end)
        if any(scanner.text.startswith(spelling, ahead) for spelling, _ in _COMPARISONS):
            return self._comparison(value, end, depth)
        return value, end

    def _constant(self, at: int) -> tuple[LiteralValue, int]:
        for type_ in (IP, INT, BYTES):
            try:
                return read_literal(self.scanner, at, type_)
            except ExpressionError:
                continue
        self.scanner.fail("unrecognised input", at)


def _in_names(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char == "_")


def _only_in_names(char: str) -> bool:
    """Whether no number has this character."""
    return _in_names(char) and not char.isdecimal() and char not in _HEX_LETTERS


def _wrong_count(function: FunctionSignature) -> str:
    return f"invalid number of arguments of {function.name}"


def _mismatch_of(expected: str, actual: Type) -> str:
    return f"expected value of type {expected}, but got {actual}"
