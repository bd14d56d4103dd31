"""Which fields and functions an expression may name, by the kind of rule it stands in. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgeworker.expressions.fields import FIELDS
from edgeworker.expressions.functions import FUNCTIONS, IS_JWT_PRESENT, IS_JWT_VALID, FunctionSignature
from edgeworker.expressions.value_types import Type


@dataclass(frozen=True, slots=True)
class Schema:
    fields: Mapping[str, Type]
    functions: Mapping[str, FunctionSignature]


CUSTOM_RULES: Final = Schema(FIELDS, FUNCTIONS)
# Only these know the two functions that ask about tokens.
TOKEN_VALIDATION_RULES: Final = Schema(
    FIELDS, {**FUNCTIONS, IS_JWT_VALID.name: IS_JWT_VALID, IS_JWT_PRESENT.name: IS_JWT_PRESENT}
)
