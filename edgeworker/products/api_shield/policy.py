"""What API Shield does with a request. Pure.

Validation rules come first, then custom rules, in their order. A rule that logs lets the next one decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeworker.expressions import RequestFacts
from edgeworker.messages import Request
from edgeworker.products.api_shield.compiled import CompiledRule, CompiledShield, asked_configurations
from edgeworker.products.api_shield.config import CustomRule, ValidationRule
from edgeworker.products.api_shield.events import ShieldEvent, make_event
from edgeworker.products.api_shield.operations import Operation
from edgeworker.products.api_shield.token_checks import CheckedTokens, TokenFinding


@dataclass(frozen=True, slots=True)
class Pass:
    """`events` are of rules that log."""

    events: tuple[ShieldEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """`events` has the event of the rule that blocks last. `token_was_shown`: some token was there, and not valid."""

    events: tuple[ShieldEvent, ...]
    by_validation_rule: bool
    token_was_shown: bool


PASS = Pass()


def find_operation(shield: CompiledShield, request: Request) -> Operation | None:
    return shield.operations.find(request.method, request.url.hostname, request.url.path)


def decide(shield: CompiledShield, facts: RequestFacts, tokens: CheckedTokens) -> Pass | Block:
    events: list[ShieldEvent] = []
    now = facts.now_ms // 1000
    if shield.rule_of:
        operation = find_operation(shield, facts.request)
        compiled = None if operation is None else shield.rule_of.get(operation.id)
        if operation is not None and compiled is not None and not compiled.holds(facts):
            assert isinstance(compiled.rule, ValidationRule)
            checks = checks_of(compiled, tokens)
            events.append(
                make_event(
                    facts.request,
                    now=now,
                    service="API Shield - Token Validation",
                    action=compiled.rule.action,
                    rule_id=compiled.rule.id,
                    rule_title=compiled.rule.title,
                    operation_id=operation.id,
                    checks=checks,
                )
            )
            if compiled.rule.action == "block":
                return Block(tuple(events), True, any(check.result != "missing" for check in checks))
    for compiled in shield.custom_rules:
        if compiled.holds(facts):
            assert isinstance(compiled.rule, CustomRule)
            events.append(
                make_event(
                    facts.request,
                    now=now,
                    service="Custom rules",
                    action=compiled.rule.action,
                    rule_id=compiled.rule.id,
                    rule_title=compiled.rule.description,
                )
            )
            if compiled.rule.action == "block":
                return Block(tuple(events), False, False)
    return Pass(tuple(events)) if events else PASS


def checks_of(compiled: CompiledRule, tokens: CheckedTokens) -> Sequence[TokenFinding]:
    """What the configurations found that the rule asks for."""
    asked = [] if compiled.expression is None else asked_configurations(compiled.expression)
    return [tokens.checks.get(name, TokenFinding(name, "missing")) for name in dict.fromkeys(asked)]
