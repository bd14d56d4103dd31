"""Expressions that are a text and not a condition: what a header is set to, what requests are counted by. Pure.

Source: https://developers.cloudflare.com/rules/transform/request-header-modification/ (dynamic values).
"""

from collections.abc import Callable
from dataclasses import dataclass

from edgeworker.expressions.evaluable import check_evaluable_part
from edgeworker.expressions.evaluation import Facts, compile_value
from edgeworker.expressions.parser import parse_value
from edgeworker.expressions.schema import Schema
from edgeworker.expressions.syntax_error import ExpressionError
from edgeworker.expressions.tree import Indexed, LiteralValue
from edgeworker.expressions.value_types import BYTES, INT

TextReader = Callable[[Facts], bytes | None]


@dataclass(frozen=True, slots=True)
class TextValue:
    """A parsed value and its text."""

    text: str
    value: Indexed | LiteralValue


def parse_text_value(text: str, schema: Schema) -> TextValue:
    """A text or a number. Raises ExpressionError for what is neither, or has no value here."""
    value = parse_value(text, schema)
    if isinstance(value, Indexed):
        check_evaluable_part(text, value)
        if value.output_type not in (BYTES, INT):
            raise ExpressionError(
                f"expected value of type Bytes or Int, but got {value.output_type}", text, value.start, value.end
            )
    return TextValue(text, value)


def compile_text(parsed: TextValue) -> TextReader:
    """Reads the value of a request as a text, or None where it is missing."""
    read = compile_value(parsed.value)

    def text_of(facts: Facts) -> bytes | None:
        match read(facts):
            case bytes(text):
                return text
            case int(number):
                return str(number).encode()
            case _:
                return None

    return text_of
