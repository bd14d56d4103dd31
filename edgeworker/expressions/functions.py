"""The functions of the language: what they take, what they give, and how they are computed. Pure.

A function without `compute` is known to the parser and refused where a rule would need its value. An argument that is
missing makes the result missing, except where `takes_missing`. Source:
https://developers.cloudflare.com/ruleset-engine/rules-language/functions/
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edgeworker.expressions import function_bodies as bodies
from edgeworker.expressions.value_types import (
    BOOL,
    BYTES,
    BYTES_ARRAY,
    BYTES_MAP,
    INT,
    IP,
    Type,
    Value,
)

Compute = Callable[[Sequence[Value | None]], Value | None]


@dataclass(frozen=True, slots=True)
class Parameter:
    """`types` are the types that it may have. `takes`: a constant, a computed value, or either."""

    takes: Literal["constant", "value", "either"]
    types: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class FunctionSignature:
    """`least` arguments at least. `rest` is what each argument after `parameters` must be: of the first one's type
    ("same"), like the last parameter ("last"), or nothing. `returns` None: the type of the first argument."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: Type | None
    least: int
    compute: Compute | None = None
    rest: Literal["same", "last", "none"] = "none"
    takes_missing: bool = False

    def parameter(self, index: int, first: Type | None) -> Parameter | None:
        """What stands at `index`, or None where nothing may; `first` is the first argument's type."""
        if index < len(self.parameters):
            return self.parameters[index]
        match self.rest:
            case "same":
                assert first is not None
                return Parameter("either", (first,))
            case "last":
                return self.parameters[-1]
            case "none":
                return None

    @property
    def takes_everything(self) -> bool:
        """Whether arrays of every type are taken as the first argument (`concat`)."""
        return self.name == "concat"


def _value(type_: Type) -> Parameter:
    return Parameter("value", (type_,))


def _constant(*types: Type) -> Parameter:
    return Parameter("constant", types)


_TEXT: Final = _value(BYTES)
_LITERAL: Final = _constant(BYTES)
_NUMBER: Final = _constant(INT)
_EITHER_TEXT: Final = Parameter("either", (BYTES,))


def _function(
    name: str,
    parameters: Sequence[Parameter],
    returns: Type | None,
    compute: Compute | None = None,
    *,
    optional: int = 0,
    rest: Literal["same", "last", "none"] = "none",
    takes_missing: bool = False,
) -> FunctionSignature:
    """`optional` parameters at the end may be left out."""
    return FunctionSignature(name, tuple(parameters), returns, len(parameters) - optional, compute, rest, takes_missing)


_ALL: Final = (
    _function("concat", [_EITHER_TEXT, _EITHER_TEXT], None, bodies.concat, rest="same", takes_missing=True),
    _function(
        "coalesce",
        [Parameter("either", (BYTES, INT, IP, BOOL))] * 2,
        None,
        bodies.coalesce,
        rest="same",
        takes_missing=True,
    ),
    _function("lower", [_TEXT], BYTES, bodies.lower),
    _function("upper", [_TEXT], BYTES, bodies.upper),
    _function("url_decode", [_TEXT], BYTES, bodies.url_decode),
    _function("uuidv4", [_TEXT], BYTES),
    _function("starts_with", [_TEXT, _EITHER_TEXT], BOOL, bodies.starts_with),
    _function("ends_with", [_TEXT, _EITHER_TEXT], BOOL, bodies.ends_with),
    _function("contains", [_TEXT, _EITHER_TEXT], BOOL, bodies.contains),
    _function("len", [_TEXT], INT, bodies.length),
    _function("substring", [_TEXT, _NUMBER, _NUMBER], BYTES, bodies.substring),
    _function("regex_replace", [_TEXT, _LITERAL, _LITERAL], BYTES),
    _function("wildcard_replace", [_TEXT, _LITERAL, _LITERAL, _LITERAL], BYTES, optional=1),
    _function("remove_bytes", [_TEXT, _LITERAL], BYTES, bodies.remove_bytes),
    _function("to_string", [_value(INT)], BYTES, bodies.to_string),
    _function("lookup_json_string", [_TEXT, _constant(BYTES, INT)], BYTES, bodies.lookup_json_string, rest="last"),
    _function("lookup_json_integer", [_TEXT, _constant(BYTES, INT)], INT, bodies.lookup_json_integer, rest="last"),
    _function("sha256", [_TEXT], BYTES, bodies.sha256),
    _function("sha512", [_TEXT], BYTES, bodies.sha512),
    _function("hmac", [_TEXT, _LITERAL, _LITERAL], BYTES),
    _function("is_timed_hmac_valid_v0", [_TEXT, _LITERAL, _NUMBER, _LITERAL, _NUMBER], BOOL, optional=2),
    _function("ip_in_range", [_value(IP), _LITERAL], BOOL, bodies.ip_in_range),
    _function("wildcard", [_TEXT, _LITERAL], BOOL, bodies.wildcard),
    _function("encode_base64", [_TEXT, _LITERAL], BYTES, bodies.encode_base64, optional=1),
    _function("decode_base64", [_TEXT], BYTES, bodies.decode_base64),
    _function("cidr", [_value(IP), _NUMBER, _NUMBER], IP, bodies.cidr),
    _function("cidr6", [_value(IP), _NUMBER], IP, bodies.cidr6),
    _function("join", [_value(BYTES_ARRAY), _LITERAL], BYTES, bodies.join),
    _function("split", [_TEXT, _LITERAL, _NUMBER], BYTES_ARRAY, bodies.split),
    _function("has_key", [_value(BYTES_MAP), _LITERAL], BOOL, bodies.has_key),
    _function("has_value", [_value(BYTES_ARRAY), _LITERAL], BOOL, bodies.has_value),
    _function("remove_query_args", [_TEXT, *[_LITERAL] * 8], BYTES, bodies.remove_query_args, optional=7),
    _function("bit_slice", [_TEXT, _NUMBER, _NUMBER], INT),
    _function("trim", [_TEXT, _LITERAL], BYTES, bodies.trim, optional=1),
    _function("trim_start", [_TEXT, _LITERAL], BYTES, bodies.trim_start, optional=1),
    _function("trim_end", [_TEXT, _LITERAL], BYTES, bodies.trim_end, optional=1),
)

IS_JWT_VALID: Final = _function("is_jwt_valid", [_LITERAL], BOOL)
IS_JWT_PRESENT: Final = _function("is_jwt_present", [_LITERAL], BOOL)

FUNCTIONS: Final[Mapping[str, FunctionSignature]] = {function.name: function for function in _ALL}
