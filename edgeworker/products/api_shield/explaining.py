"""Why API Shield does with a request what it does, part by part. Pure.

Nothing is remembered and nothing counted: an explanation changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from edgeworker.expressions import Outcome, RequestFacts, explain
from edgeworker.expressions.value_types import Value
from edgeworker.messages import Request
from edgeworker.products.api_shield.compiled import CompiledRule, compile_shield, includes
from edgeworker.products.api_shield.config import ShieldConfig, ValidationRule
from edgeworker.products.api_shield.operations import Operation
from edgeworker.products.api_shield.policy import Block, decide, find_operation
from edgeworker.products.api_shield.presets import combine
from edgeworker.products.api_shield.token_checks import TokenChecker, TokenFinding


@dataclass(frozen=True, slots=True)
class ExplainedRule:
    """One rule, and what each part of its expression comes to; the first part is the whole."""

    rule_id: str
    title: str
    action: str
    outcomes: tuple[Outcome, ...]
    fires: bool


@dataclass(frozen=True, slots=True)
class ShieldExplanation:
    """`deciding` is the one validation rule of the operation; `passed_over` are rules that cover it too and come later.
    `combined` is the expression that would accept what any of them accepts."""

    passes: bool
    operation: Operation | None
    tokens: tuple[TokenFinding, ...]
    deciding: ExplainedRule | None
    passed_over: tuple[ValidationRule, ...]
    combined: str
    custom_rules: tuple[ExplainedRule, ...]


def explain_request(config: ShieldConfig, request: Request, *, now_ms: int) -> ShieldExplanation:
    """`config` is all of the zone, what the file has and what came over the API. Raises ExpressionError."""
    shield = compile_shield(config)
    tokens = TokenChecker().check(shield, request, now=now_ms / 1000)
    facts = RequestFacts(request, now_ms=now_ms, tokens=tokens.facts)
    operation = find_operation(shield, request)
    deciding = None if operation is None else shield.rule_of.get(operation.id)
    others: tuple[ValidationRule, ...] = ()
    if operation is not None and deciding is not None:
        others = tuple(
            rule for rule in config.rules if rule.enabled and rule.id != deciding.rule.id and includes(rule, operation)
        )
    return ShieldExplanation(
        passes=not isinstance(decide(shield, facts, tokens), Block),
        operation=operation,
        tokens=tuple(tokens.checks.get(one.id, TokenFinding(one.id, "missing")) for one in config.configurations),
        deciding=None if deciding is None else _explained(deciding, facts, fires_when=False),
        passed_over=others,
        combined=""
        if deciding is None or not others
        else combine([deciding.rule.expression, *(one.expression for one in others)]),
        custom_rules=tuple(_explained(rule, facts, fires_when=True) for rule in shield.custom_rules),
    )


def _explained(compiled: CompiledRule, facts: RequestFacts, *, fires_when: bool) -> ExplainedRule:
    rule = compiled.rule
    title = rule.title if isinstance(rule, ValidationRule) else rule.description
    outcomes = () if compiled.expression is None else tuple(explain(compiled.expression, facts))
    return ExplainedRule(rule.id, title, rule.action, outcomes, compiled.holds(facts) is fires_when)


def explanation_lines(explanation: ShieldExplanation) -> Iterator[str]:
    """For a person."""
    operation = explanation.operation
    if operation is None:
        yield "operation   none: validation rules do nothing on this request"
    else:
        yield f"operation   {operation.method} {operation.host}{operation.endpoint}  ({operation.id})"
    for token in explanation.tokens:
        about = [token.source, f"kid {token.kid}" if token.kid else "", token.alg or "", token.detail]
        known = ", ".join(part for part in about if part)
        yield f"token       {token.configuration_id}: {token.result}  {known}".rstrip()
    if operation is not None and explanation.deciding is None:
        yield "rule        none covers the operation"
    if explanation.deciding is not None:
        yield from _rule_lines("rule", explanation.deciding, "is violated")
    for rule in explanation.passed_over:
        yield f'            "{rule.title}" covers the operation too and is not asked: only the first rule decides'
    if explanation.combined:
        yield f"            to accept what each of them accepts: {explanation.combined}"
    for custom in explanation.custom_rules:
        yield from _rule_lines("custom rule", custom, "matches")
    yield f"the request {'passes' if explanation.passes else 'is blocked'}"


def _rule_lines(kind: str, rule: ExplainedRule, fires: str) -> Iterator[str]:
    name = rule.title or rule.rule_id
    yield f'{kind:<11} "{name}" {f"{fires}: {rule.action}" if rule.fires else "does nothing"}'
    for outcome in rule.outcomes:
        yield f"              {'  ' * outcome.depth}{_on_one_line(outcome.text)}  ->  {format_value(outcome.value)}"


def _on_one_line(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines())


def format_value(value: Value | None) -> str:
    """As it would be written in an expression; "missing" for what the request lacks."""
    match value:
        case None:
            return "missing"
        case bool():
            return str(value).lower()
        case bytes():
            text = value[:200].decode("utf-8", "replace")
            return ascii(text) if not text.isprintable() else f'"{text}"'
        case list() | tuple():
            return f"[{', '.join(format_value(item) for item in value)}]"
        case _:
            return str(value)
