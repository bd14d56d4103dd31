"""A zone's configuration, checked and made ready for requests. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeworker.expressions import (
    CUSTOM_RULES,
    TOKEN_VALIDATION_RULES,
    ExpressionError,
    Predicate,
    RuleExpression,
    check_evaluable,
    compile_expression,
    parse,
)
from edgeworker.expressions.functions import IS_JWT_PRESENT, IS_JWT_VALID
from edgeworker.expressions.tree import LiteralValue
from edgeworker.expressions.values import TextReader, compile_text, parse_text_value
from edgeworker.expressions.walking import calls_in
from edgeworker.products.api_shield.characteristics import compile_characteristic
from edgeworker.products.api_shield.config import (
    CustomRule,
    HeaderTransform,
    RateLimitRule,
    ShieldConfig,
    TokenConfiguration,
    ValidationRule,
)
from edgeworker.products.api_shield.operations import Operation, OperationTable
from edgeworker.products.api_shield.token_sources import TokenSource


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """`expression` is None where a rule that was made over the API does not hold any more (its configuration is gone
    from the file): it then counts as violated, whatever the request is."""

    rule: ValidationRule | CustomRule
    expression: RuleExpression | None
    holds: Predicate


@dataclass(frozen=True, slots=True)
class CompiledTransform:
    """`applies` None: to every request."""

    transform: HeaderTransform
    applies: Predicate | None
    value: TextReader


@dataclass(frozen=True, slots=True)
class CompiledRateLimit:
    limit: RateLimitRule
    applies: Predicate | None
    characteristics: tuple[TextReader, ...]


@dataclass(frozen=True, slots=True, eq=False)
class SourceGroup:
    """Configurations that look at the same places: one token is for all of them. Compared by identity, so that what was
    learnt under another configuration never counts."""

    number: int
    sources: tuple[TokenSource, ...]
    configurations: tuple[TokenConfiguration, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledShield:
    config: ShieldConfig
    operations: OperationTable
    rule_of: Mapping[str, CompiledRule]  # by operation id
    custom_rules: tuple[CompiledRule, ...]
    transforms: tuple[CompiledTransform, ...]
    rate_limits: tuple[CompiledRateLimit, ...]
    groups: tuple[SourceGroup, ...]
    groups_of_header: Mapping[bytes, tuple[int, ...]]  # which groups look at a field, by its lower-case name
    groups_of_cookie: Mapping[str, tuple[int, ...]]
    broken: Mapping[str, str]  # the ids of rules without an expression, and why


def compile_shield(config: ShieldConfig) -> CompiledShield:
    """Raises ExpressionError for an expression in the file that is refused, or that asks for an unknown
    configuration."""
    known = frozenset(configuration.id for configuration in config.configurations)
    broken: dict[str, str] = {}
    rules = [_compile_validation_rule(rule, known, broken) for rule in config.rules if rule.enabled]
    groups = _group(config.configurations)
    return CompiledShield(
        config,
        OperationTable(config.operations),
        {operation.id: rule for operation in config.operations if (rule := _first_rule(rules, operation)) is not None},
        tuple(_compile_custom_rule(rule) for rule in config.custom_rules if rule.enabled),
        tuple(
            CompiledTransform(one, _condition(one.expression), compile_text(parse_text_value(one.value, CUSTOM_RULES)))
            for one in config.header_transforms
            if one.enabled
        ),
        tuple(
            CompiledRateLimit(
                one,
                _condition(one.expression),
                tuple(compile_characteristic(text) for text in one.characteristics),
            )
            for one in config.rate_limits
            if one.enabled
        ),
        groups,
        {name.encode("latin-1"): numbers for name, numbers in _numbers_of(groups, "header").items()},
        _numbers_of(groups, "cookie"),
        broken,
    )


def includes(rule: ValidationRule, operation: Operation) -> bool:
    """Whether the rule's selector covers the operation."""
    by_host = rule.include_hosts is None or operation.host in rule.include_hosts
    return by_host and operation.id not in rule.excluded_operations


def check_rule_expression(expression: str, configuration_ids: frozenset[str]) -> RuleExpression:
    """The expression of a validation rule. Raises ExpressionError, also for a configuration id that is unknown."""
    parsed = parse(expression, TOKEN_VALIDATION_RULES)
    check_evaluable(parsed)
    unknown = unknown_configurations(parsed, configuration_ids)
    if unknown:
        at = expression.find(unknown[0])
        shown = ", ".join(sorted(configuration_ids)) or "none"
        raise ExpressionError(
            f'there is no token configuration "{unknown[0]}"; there are: {shown}', expression, at, at + len(unknown[0])
        )
    return parsed


def check_custom_expression(expression: str) -> RuleExpression:
    """Raises ExpressionError."""
    parsed = parse(expression, CUSTOM_RULES)
    check_evaluable(parsed)
    return parsed


def unknown_configurations(expression: RuleExpression, known: frozenset[str]) -> list[str]:
    """The ids that `is_jwt_valid` and `is_jwt_present` ask for and no configuration has."""
    return [name for name in asked_configurations(expression) if name not in known]


def asked_configurations(expression: RuleExpression) -> list[str]:
    """The ids that `is_jwt_valid` and `is_jwt_present` ask for."""
    return [
        argument.value.decode("utf-8", "replace")
        for call in calls_in(expression.root)
        if call.function in (IS_JWT_VALID, IS_JWT_PRESENT)
        for argument in call.arguments
        if isinstance(argument, LiteralValue) and isinstance(argument.value, bytes)
    ]


def _compile_validation_rule(rule: ValidationRule, known: frozenset[str], broken: dict[str, str]) -> CompiledRule:
    try:
        expression = check_rule_expression(rule.expression, known)
    except ExpressionError as error:
        if rule.source:
            raise
        broken[rule.id] = str(error)
        return CompiledRule(rule, None, lambda facts: False)
    return CompiledRule(rule, expression, compile_expression(expression))


def _compile_custom_rule(rule: CustomRule) -> CompiledRule:
    expression = check_custom_expression(rule.expression)
    return CompiledRule(rule, expression, compile_expression(expression))


def _condition(text: str) -> Predicate | None:
    return None if not text.strip() else compile_expression(check_custom_expression(text))


def _first_rule(rules: Sequence[CompiledRule], operation: Operation) -> CompiledRule | None:
    for compiled in rules:
        if isinstance(compiled.rule, ValidationRule) and includes(compiled.rule, operation):
            return compiled
    return None


def _group(configurations: Sequence[TokenConfiguration]) -> tuple[SourceGroup, ...]:
    by_sources: dict[tuple[TokenSource, ...], list[TokenConfiguration]] = {}
    for configuration in configurations:
        by_sources.setdefault(configuration.token_sources, []).append(configuration)
    return tuple(
        SourceGroup(number, sources, tuple(members)) for number, (sources, members) in enumerate(by_sources.items())
    )


def _numbers_of(groups: Sequence[SourceGroup], kind: str) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for group in groups:
        for source in group.sources:
            if source.kind == kind:
                found[source.name] = (*found.get(source.name, ()), group.number)
    return found
