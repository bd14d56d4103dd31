"""Refuses what the language knows and nothing here can evaluate, so that no rule decides on a made-up value. Pure."""

from edgeworker.expressions.functions import IS_JWT_PRESENT, IS_JWT_VALID
from edgeworker.expressions.parser import RuleExpression
from edgeworker.expressions.request_fields import FIELD_READERS
from edgeworker.expressions.syntax_error import ExpressionError
from edgeworker.expressions.tree import Argument, Comparison, FieldAccess, Indexed, ListName
from edgeworker.expressions.walking import parts_of


def check_evaluable(expression: RuleExpression) -> None:
    """Raises ExpressionError for a field, a function or a list that has no value here."""
    check_evaluable_part(expression.text, expression.root)


def check_evaluable_part(text: str, node: Argument) -> None:
    """As `check_evaluable`, of a part of the expression `text`."""
    for part in parts_of(node):
        match part:
            case Indexed(FieldAccess(name)) if name not in FIELD_READERS:
                raise _make_error(text, f'the field "{name}" has no value here', part)
            case Indexed(base) if not isinstance(base, FieldAccess):
                function = base.function
                if function.compute is None and function not in (IS_JWT_VALID, IS_JWT_PRESENT):
                    raise _make_error(text, f'the function "{function.name}" is not evaluated here', part)
            case Comparison(_, _, ListName(name)):
                raise _make_error(text, f'there is no list "${name}": lists of an account are not emulated', part)
            case _:
                pass


def _make_error(text: str, reason: str, part: Indexed | Comparison) -> ExpressionError:
    return ExpressionError(reason, text, part.start, part.end)
