"""Checks [zones.api_shield] whole and makes the product's configuration of it."""

from uuid import UUID

from edgeworker.expressions import CUSTOM_RULES, ExpressionError
from edgeworker.expressions.values import parse_text_value
from edgeworker.products.api_shield.characteristics import compile_characteristic
from edgeworker.products.api_shield.compiled import check_custom_expression, check_rule_expression
from edgeworker.products.api_shield.config import (
    MAX_CONFIGURATIONS,
    CustomRule,
    HeaderTransform,
    RateLimitRule,
    ShieldConfig,
    ValidationRule,
)
from edgeworker.products.api_shield.linting import LintFinding, lint
from edgeworker.products.api_shield.operations import (
    Operation,
    normalize_endpoint,
    normalize_host,
    normalize_method,
)
from edgeworker.products.api_shield.tables import ShieldTable
from edgeworker.schema.ids import made_up
from edgeworker.schema.wrangler_checks import FieldContext


def build_shield(table: ShieldTable, context: FieldContext) -> ShieldConfig | None:
    """None if something is wrong, which is reported. What is most likely a slip is a warning."""
    operations = _read_operations(table, context)
    configurations = [one.made for one in table.token_configurations if one.made is not None]
    ids = [one.id for one in configurations]
    for index, id in enumerate(ids):
        if id in ids[:index]:
            context.key("token_configurations").item(index).error(f'There are two token configurations "{id}".')
    if len(configurations) > MAX_CONFIGURATIONS:
        context.key("token_configurations").error(f"A zone has at most {MAX_CONFIGURATIONS} token configurations.")
    rules = _read_rules(table, context, operations, frozenset(ids))
    if rules is None or not _are_expressions_sound(table, context):
        return None
    shield = ShieldConfig(
        tuple(operations),
        tuple(configurations),
        tuple(rules),
        tuple(
            CustomRule(
                one.id or _uuid("custom rule", one.expression),
                "block" if one.action == "block" else "log",
                one.expression,
                one.description,
                one.enabled,
                one.source,
            )
            for one in table.custom_rules
        ),
        tuple(
            HeaderTransform(
                _uuid("transform", one.header, one.value),
                one.header,
                one.value,
                one.expression,
                one.description,
                one.enabled,
                one.source,
            )
            for one in table.header_transforms
        ),
        tuple(
            RateLimitRule(
                _uuid("rate limit", str(index), *one.characteristics),
                one.requests,
                one.period_seconds,
                one.characteristics,
                one.mitigation_seconds,
                one.expression,
                one.description,
                one.enabled,
                one.source,
            )
            for index, one in enumerate(table.rate_limits)
        ),
        table.challenge,
    )
    for finding in lint(shield):
        _place(context, finding).warning(f"{finding.text}.")
    return shield


def _read_operations(table: ShieldTable, context: FieldContext) -> list[Operation]:
    operations: dict[tuple[str, str, str], Operation] = {}
    for index, text in enumerate(table.operations):
        place = context.key("operations").item(index)
        try:
            operation = read_written_operation(text, source=table.source)
        except ValueError as error:
            place.error(f"{error}.")
            continue
        if operation.key in operations:
            place.error(f'The operation "{text}" stands there twice.')
        operations[operation.key] = operation
    return list(operations.values())


def _read_rules(
    table: ShieldTable, context: FieldContext, operations: list[Operation], ids: frozenset[str]
) -> list[ValidationRule] | None:
    """None if one is wrong, which is reported."""
    by_key = {operation.key: operation.id for operation in operations}
    rules: list[ValidationRule] = []
    for index, written in enumerate(table.rules):
        place = context.key("rules").item(index)
        excluded = []
        try:
            check_rule_expression(written.policy(), ids)
            for text in written.exclude:
                operation = read_written_operation(text, source="")
                if operation.key not in by_key:
                    raise ValueError(f'"{text}" is not one of the operations')
                excluded.append(by_key[operation.key])
            hosts = tuple(normalize_host(host) for host in written.hosts) or None
        except ExpressionError as error:
            place.key("expression" if written.expression else "token_configurations").error(f"{error}.")
            return None
        except ValueError as error:
            place.key("exclude").error(f"{error}.")
            return None
        rules.append(
            ValidationRule(
                written.id or _uuid("rule", written.title),
                written.title,
                "block" if written.action == "block" else "log",
                written.policy(),
                written.description,
                written.enabled,
                hosts,
                tuple(excluded),
                source=written.source,
            )
        )
        if rules[-1].id in [rule.id for rule in rules[:-1]]:
            place.error(f'There are two rules "{written.id or written.title}".')
            return None
    return rules


def _are_expressions_sound(table: ShieldTable, context: FieldContext) -> bool:
    conditions = [
        *((("custom_rules", index), "expression", one.expression) for index, one in enumerate(table.custom_rules)),
        *((("header_transforms", i), "expression", one.expression) for i, one in enumerate(table.header_transforms)),
        *((("rate_limits", index), "expression", one.expression) for index, one in enumerate(table.rate_limits)),
    ]
    values = [
        *((("header_transforms", index), "value", one.value) for index, one in enumerate(table.header_transforms)),
        *(
            (("rate_limits", index), "characteristics", text)
            for index, one in enumerate(table.rate_limits)
            for text in one.characteristics
        ),
    ]
    sound = True
    for (name, index), key, text in [*conditions, *values]:
        is_condition = key == "expression"
        if is_condition and not text.strip() and name != "custom_rules":
            continue
        try:
            if is_condition:
                check_custom_expression(text)
            elif key == "characteristics":
                compile_characteristic(text)
            else:
                parse_text_value(text, CUSTOM_RULES)
        except ExpressionError as error:
            context.key(name).item(index).key(key).error(f"{error}.")
            sound = False
    return sound


def read_written_operation(text: str, *, source: str) -> Operation:
    """ "GET api.example.com/users/{id}". Raises ValueError."""
    method, _, rest = text.strip().partition(" ")
    host, slash, path = rest.strip().partition("/")
    if not slash:
        raise ValueError(f'"{text}" is not an operation; write it as "GET api.example.com/users/{{id}}"')
    host, endpoint = normalize_host(host), normalize_endpoint(f"/{path}")
    return Operation(
        _uuid("operation", method, host, endpoint), normalize_method(method), host, endpoint, source=source
    )


def _place(context: FieldContext, finding: LintFinding) -> FieldContext:
    for part in finding.place:
        context = context.item(part) if isinstance(part, int) else context.key(part)
    return context


def _uuid(*parts: str) -> str:
    """Always the same for the same thing."""
    return str(UUID(made_up(*parts)))
