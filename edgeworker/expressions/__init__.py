"""Cloudflare's Rules language: parsed as its engine parses it, and evaluated on one request. Pure.

Source: https://developers.cloudflare.com/ruleset-engine/rules-language/ and the engine itself, against which
tests/expressions/test_against_the_engine.py holds what is accepted, what is refused, and at which column.
"""

from edgeworker.expressions.evaluable import check_evaluable
from edgeworker.expressions.evaluation import Facts, Outcome, Predicate, compile_expression, explain
from edgeworker.expressions.parser import RuleExpression, parse
from edgeworker.expressions.request_fields import RequestFacts, TokenFact
from edgeworker.expressions.schema import CUSTOM_RULES, TOKEN_VALIDATION_RULES, Schema
from edgeworker.expressions.syntax_error import ExpressionError

__all__ = [
    "CUSTOM_RULES",
    "TOKEN_VALIDATION_RULES",
    "ExpressionError",
    "Facts",
    "Outcome",
    "Predicate",
    "RequestFacts",
    "RuleExpression",
    "Schema",
    "TokenFact",
    "check_evaluable",
    "compile_expression",
    "explain",
    "parse",
]
