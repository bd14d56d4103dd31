"""Evaluates an expression on one request: compiled once into functions, or explained step by step. Pure.

A value that the request lacks makes every comparison false, also `ne`, as Cloudflare documents it:
https://developers.cloudflare.com/ruleset-engine/rules-language/values/
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from edgeworker.expressions.functions import IS_JWT_PRESENT, IS_JWT_VALID, Compute
from edgeworker.expressions.parser import RuleExpression
from edgeworker.expressions.regex_matcher import Regex
from edgeworker.expressions.tree import (
    AddressSet,
    Argument,
    BytesSet,
    Combined,
    Comparison,
    EachElement,
    FieldAccess,
    FunctionCall,
    Indexed,
    IndexKey,
    IntSet,
    IsTrue,
    ListName,
    LiteralValue,
    Logical,
    Not,
    Operand,
    Parenthesized,
    Quantifier,
)
from edgeworker.expressions.value_types import Value
from edgeworker.expressions.wildcards import Wildcard


class Facts(Protocol):
    """What is known of one request."""

    def field(self, name: str) -> Value | None:
        """The value of a field, or None where this request lacks it."""
        ...

    def token_is_valid(self, configuration_id: str) -> bool: ...

    def token_is_present(self, configuration_id: str) -> bool: ...


Predicate = Callable[[Facts], bool]
_Booleans = Callable[[Facts], Sequence[bool]]
_Reader = Callable[[Facts], Value | None]
_Test = Callable[[Value], bool]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one part of an expression came to. `value` is a boolean, or what a value was; `depth` is its nesting."""

    text: str
    value: Value | None
    depth: int


def compile_expression(expression: RuleExpression) -> Predicate:
    return _predicate(expression.root)


def compile_value(value: Indexed | LiteralValue) -> Callable[[Facts], Value | None]:
    return _argument_reader(value)


def explain(expression: RuleExpression, facts: Facts) -> list[Outcome]:
    """Every part with its value, the whole first. Also the parts that decide nothing any more are evaluated."""
    return list(_outcomes(expression.text, expression.root, facts, 0))


def _outcomes(text: str, node: Logical, facts: Facts, depth: int) -> Iterator[Outcome]:
    if isinstance(node, Parenthesized):
        yield from _outcomes(text, node.item, facts, depth)
        return
    yield Outcome(text[node.start : node.end], _evaluate_shown(node, facts), depth)
    match node:
        case Combined(_, items):
            for item in items:
                yield from _outcomes(text, item, facts, depth + 1)
        case Not(item):
            yield from _outcomes(text, item, facts, depth + 1)
        case Quantifier(_, argument):
            if isinstance(argument, Indexed):
                yield Outcome(text[argument.start : argument.end], _reader(argument)(facts), depth + 1)
            else:
                yield from _outcomes(text, argument, facts, depth + 1)
        case Comparison(left, _, right):
            yield Outcome(text[left.start : left.end], _reader(left)(facts), depth + 1)
            if isinstance(right, Indexed):
                yield Outcome(text[right.start : right.end], _reader(right)(facts), depth + 1)
        case IsTrue():
            pass


def _evaluate_shown(node: Logical, facts: Facts) -> Value:
    return list(_booleans(node)(facts)) if node.type.kind == "Array" else _predicate(node)(facts)


def _predicate(node: Logical) -> Predicate:
    match node:
        case Parenthesized(item):
            return _predicate(item)
        case Not(item):
            inner = _predicate(item)
            return lambda facts: not inner(facts)
        case Quantifier(every, argument):
            joined = all if every else any
            if isinstance(argument, Indexed):
                read_array = _reader(argument)
                return lambda facts: (array := read_array(facts)) is not None and joined(_truths(array))
            booleans = _booleans(argument)
            return lambda facts: joined(booleans(facts))
        case Combined("and", (one, other)):
            first, second = _predicate(one), _predicate(other)
            return lambda facts: first(facts) and second(facts)
        case Combined("and", items):
            parts = [_predicate(item) for item in items]
            return lambda facts: all(part(facts) for part in parts)
        case Combined("or", items):
            parts = [_predicate(item) for item in items]
            return lambda facts: any(part(facts) for part in parts)
        case Combined(_, items):
            parts = [_predicate(item) for item in items]
            return lambda facts: sum(part(facts) for part in parts) % 2 == 1
        case IsTrue(left):
            read = _reader(left)
            return lambda facts: read(facts) is True
        case Comparison(left, operator, right):
            return _one_comparison(_reader(left), operator, right)


def _one_comparison(read: _Reader, operator: str, right: Operand) -> Predicate:
    if isinstance(right, Indexed):
        read_right = _reader(right)

        def compare(facts: Facts) -> bool:
            value, other = read(facts), read_right(facts)
            return value is not None and other is not None and _compare_order(operator, value, other)

        return compare
    test = _test(operator, right)

    def check(facts: Facts) -> bool:
        value = read(facts)
        return value is not None and test(value)

    return check


def _booleans(node: Logical) -> _Booleans:
    """As `_predicate`, of a part that is an array of booleans. Combined arrays have the length of the shortest."""
    match node:
        case Parenthesized(item):
            return _booleans(item)
        case Not(item):
            inner = _booleans(item)
            return lambda facts: [not value for value in inner(facts)]
        case Combined(operator, items):
            parts = [_booleans(item) for item in items]
            joined = {"and": all, "or": any}.get(operator, _odd)
            return lambda facts: [joined(values) for values in zip(*(part(facts) for part in parts), strict=False)]
        case Quantifier():
            one = _predicate(node)
            return lambda facts: [one(facts)]
        case IsTrue(left):
            read_all = _reader(left)
            return lambda facts: _truths(read_all(facts))
        case Comparison(left, operator, right):
            read = _reader(left)
            return lambda facts: [_compare_values(facts, element, operator, right) for element in _items(read(facts))]


def _compare_values(facts: Facts, value: Value, operator: str, right: Operand) -> bool:
    if isinstance(right, Indexed):
        other = _reader(right)(facts)
        return other is not None and _compare_order(operator, value, other)
    return _test(operator, right)(value)


def _odd(values: Sequence[bool]) -> bool:
    return sum(values) % 2 == 1


def _truths(array: Value | None) -> Sequence[bool]:
    return [element is True for element in _items(array)]


def _items(value: Value | None) -> Sequence[Value]:
    return value if isinstance(value, Sequence) and not isinstance(value, bytes) else ()


def _test(operator: str, right: Operand) -> _Test:
    """What a value must pass where the right side is constant."""
    match right:
        case BytesSet(members):
            return lambda value: isinstance(value, bytes) and value in members
        case IntSet(ranges):
            return lambda value: isinstance(value, int) and any(first <= value <= last for first, last in ranges)
        case AddressSet(networks):
            return lambda value: (
                isinstance(value, IPv4Address | IPv6Address) and any(network.holds(value) for network in networks)
            )
        case ListName():
            return lambda value: False  # refused before it is compiled, see edgeworker.expressions.evaluable
        case Regex() | Wildcard():
            return lambda value: isinstance(value, bytes) and right.matches(value)
        case LiteralValue(constant) if operator == "eq":
            return lambda value: value == constant
        case LiteralValue(constant):
            return lambda value: _compare_order(operator, value, constant)
        case Indexed():
            raise AssertionError("a right side that is computed has no constant test")


def _compare_order(operator: str, left: Value, right: Value) -> bool:
    """Both sides are of one type; addresses of different versions are only unequal."""
    match left, right:
        case bytes(), bytes():
            return right in left if operator == "contains" else _holds(operator, (left > right) - (left < right))
        case int(), int():
            return left & right != 0 if operator == "bitwise_and" else _holds(operator, (left > right) - (left < right))
        case (IPv4Address() | IPv6Address(), IPv4Address() | IPv6Address()):
            if left.version != right.version:
                return operator == "ne"
            return _holds(operator, (int(left) > int(right)) - (int(left) < int(right)))
        case _:
            return False


def _holds(operator: str, order: int) -> bool:
    match operator:
        case "eq":
            return order == 0
        case "ne":
            return order != 0
        case "ge":
            return order >= 0
        case "le":
            return order <= 0
        case "gt":
            return order > 0
        case _:
            return order < 0


def _reader(value: Indexed) -> _Reader:
    base = _field_reader(value.base) if isinstance(value.base, FieldAccess) else _call_reader(value.base)
    indices = value.indices
    if not indices:
        return base
    if not value.each_count:
        return lambda facts: _pick(base(facts), indices)
    return lambda facts: list(_pick_each(base(facts), indices))


def _field_reader(field: FieldAccess) -> _Reader:
    name = field.name
    return lambda facts: facts.field(name)


def _pick(value: Value | None, indices: Sequence[IndexKey]) -> Value | None:
    for index in indices:
        value = _element(value, index)
        if value is None:
            return None
    return value


def _element(value: Value | None, index: IndexKey) -> Value | None:
    if isinstance(index, str):
        return value.get(index) if isinstance(value, dict | Mapping) else None
    if isinstance(index, int) and isinstance(value, list | Sequence) and not isinstance(value, bytes):
        return value[index] if index < len(value) else None
    return None


def _pick_each(value: Value | None, indices: Sequence[IndexKey]) -> Iterator[Value]:
    if value is None:
        return
    if not indices:
        yield value
        return
    first, *rest = indices
    if not isinstance(first, EachElement):
        yield from _pick_each(_element(value, first), rest)
        return
    for element in value.values() if isinstance(value, Mapping) else _items(value):
        yield from _pick_each(element, rest)


def _call_reader(call: FunctionCall) -> _Reader:
    function = call.function
    if function in (IS_JWT_VALID, IS_JWT_PRESENT):
        return _token_reader(call)
    compute = function.compute
    if compute is None:
        return lambda facts: None  # refused before it is compiled, see edgeworker.expressions.evaluable
    arguments = [_argument_reader(argument) for argument in call.arguments]
    takes_missing = function.takes_missing
    first = call.arguments[0]
    if not (isinstance(first, Indexed) and first.each_count):
        return lambda facts: _call(compute, [read(facts) for read in arguments], takes_missing=takes_missing)

    def call_each(facts: Facts) -> Value:
        rest = [read(facts) for read in arguments[1:]]
        results = [
            _call(compute, [element, *rest], takes_missing=takes_missing) for element in _items(arguments[0](facts))
        ]
        return [result for result in results if result is not None]

    return call_each


def _call(compute: Compute, arguments: Sequence[Value | None], *, takes_missing: bool) -> Value | None:
    return None if None in arguments and not takes_missing else compute(arguments)


def _token_reader(call: FunctionCall) -> _Reader:
    argument = call.arguments[0]
    assert isinstance(argument, LiteralValue)
    assert isinstance(argument.value, bytes)
    configuration_id = argument.value.decode("utf-8", "replace")
    if call.function is IS_JWT_VALID:
        return lambda facts: facts.token_is_valid(configuration_id)
    return lambda facts: facts.token_is_present(configuration_id)


def _argument_reader(argument: Argument) -> _Reader:
    if isinstance(argument, LiteralValue):
        value = argument.value
        return lambda facts: value
    if isinstance(argument, Indexed):
        return _reader(argument)
    return _predicate(argument) if argument.type.kind == "Bool" else _booleans(argument)
