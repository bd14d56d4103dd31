"""What is allowed and most likely not meant: rules that validate nothing, keys that were left out, claims never
checked.

Pure. A finding names its place: ("rules", 0), ("custom_rules", 1), ("token_configurations", 2), or () for the zone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.expressions import RuleExpression
from edgeworker.expressions.tree import Comparison, FieldAccess, Indexed
from edgeworker.expressions.walking import indexed_parts, parts_of
from edgeworker.products.api_shield.compiled import (
    asked_configurations,
    check_custom_expression,
    check_rule_expression,
    includes,
)
from edgeworker.products.api_shield.config import ShieldConfig, ValidationRule
from edgeworker.products.api_shield.presets import combine
from edgeworker.products.api_shield.truth import is_always, passes_invalid_tokens

Place = tuple[str | int, ...]

_CLAIMS: Final = "http.request.jwt.claims"
_HEADER_KEY: Final = re.compile(r'http\.request\.headers\["([^"]*)"\]')
# Header fields that the edge removes before API Shield looks: https://developers.cloudflare.com/cloudflare-one/
_STRIPPED: Final = "cf-access-"


@dataclass(frozen=True, slots=True)
class LintFinding:
    place: Place
    text: str


def lint(config: ShieldConfig) -> list[LintFinding]:
    """`config` compiles (see edgeworker.products.api_shield.compiled)."""
    known = frozenset(configuration.id for configuration in config.configurations)
    rules = [(index, rule, check_rule_expression(rule.expression, known)) for index, rule in enumerate(config.rules)]
    custom = [
        (index, check_custom_expression(rule.expression))
        for index, rule in enumerate(config.custom_rules)
        if rule.enabled
    ]
    return [
        *_about_rules(config, rules),
        *_about_precedence(config),
        *_about_operations(config),
        *_about_configurations(
            config, [expression for _, _, expression in rules], [expression for _, expression in custom]
        ),
        *_about_custom_rules(custom, known),
        *_about_rate_limits(config, [(rule, expression) for _, rule, expression in rules]),
    ]


def _about_rules(
    config: ShieldConfig, rules: Sequence[tuple[int, ValidationRule, RuleExpression]]
) -> Iterator[LintFinding]:
    for index, rule, expression in rules:
        place: Place = ("rules", index)
        if is_always(expression, True):
            yield LintFinding(
                place,
                f'the rule "{rule.title}" validates nothing: its expression is true whatever the tokens are. To ignore '
                f'requests without a token write: is_jwt_valid("ID") or not is_jwt_present("ID")',
            )
        elif is_always(expression, False):
            yield LintFinding(
                place, f'the rule "{rule.title}" is violated by every request: its expression is never true'
            )
        elif not asked_configurations(expression):
            yield LintFinding(place, f'the rule "{rule.title}" asks for no token; use is_jwt_valid("ID")')
        elif passes_invalid_tokens(expression):
            yield LintFinding(
                place, f'the rule "{rule.title}" lets invalid tokens pass: it never asks whether one is valid'
            )
        for name in _HEADER_KEY.findall(rule.expression):
            if name != name.lower():
                yield LintFinding(
                    place, f'the rule "{rule.title}" asks for the header "{name}"; names are lower case there'
                )
        unknown = [id for id in rule.excluded_operations if id not in {one.id for one in config.operations}]
        if unknown:
            yield LintFinding(
                place, f'the rule "{rule.title}" excludes the operation "{unknown[0]}", which does not exist'
            )


def _about_precedence(config: ShieldConfig) -> Iterator[LintFinding]:
    """Only one rule decides on an operation."""
    enabled = [(index, rule) for index, rule in enumerate(config.rules) if rule.enabled]
    if enabled and not config.operations:
        yield LintFinding((), "there are validation rules and no operations: they act on operations only")
        return
    for position, (index, rule) in enumerate(enabled):
        covered = [operation for operation in config.operations if includes(rule, operation)]
        earlier = [other for _, other in enabled[:position]]
        deciding = {other.id: other for operation in covered for other in earlier if includes(other, operation)}
        left = [operation for operation in covered if not any(includes(other, operation) for other in earlier)]
        if not covered:
            yield LintFinding(("rules", index), f'the rule "{rule.title}" covers no operation and never acts')
        elif not left:
            names = ", ".join(f'"{other.title}"' for other in deciding.values())
            combined = combine([*(other.expression for other in deciding.values()), rule.expression])
            yield LintFinding(
                ("rules", index),
                f'the rule "{rule.title}" never decides: one rule alone acts on an operation, and {names} comes before '
                f"it on all of them. To accept the tokens of both, write one rule: {combined}",
            )


def lint_split_tokens(config: ShieldConfig, routes_by_operation: Mapping[str, str]) -> Iterator[LintFinding]:
    """`routes_by_operation` says by the id of an operation how its requests reach the worker that takes split tokens.
    Clients send it signatures, which are not tokens. One finding for each rule."""
    enabled = [rule for rule in config.rules if rule.enabled]
    reported: set[str] = set()
    for operation in config.operations:
        rule = next((rule for rule in enabled if includes(rule, operation)), None)
        if (
            operation.id in routes_by_operation
            and rule is not None
            and rule.action == "block"
            and rule.id not in reported
        ):
            reported.add(rule.id)
            yield LintFinding(
                (),
                f'the rule "{rule.title}" blocks split tokens: {routes_by_operation[operation.id]} takes them, and on '
                f"{operation.method} {operation.host}{operation.endpoint} a client sends a signature alone, which is "
                "not a valid token. Exclude the operation, or validate the whole token behind the worker",
            )


def _about_operations(config: ShieldConfig) -> Iterator[LintFinding]:
    enabled = [rule for rule in config.rules if rule.enabled]
    if enabled:
        for operation in config.operations:
            # Who excludes an operation by its name means it.
            if not any(includes(rule, operation) or operation.id in rule.excluded_operations for rule in enabled):
                name = f"{operation.method} {operation.host}{operation.endpoint}"
                yield LintFinding((), f"no rule covers the operation {name}: its tokens are not asked for")


def _about_configurations(
    config: ShieldConfig, rules: Sequence[RuleExpression], custom: Sequence[RuleExpression]
) -> Iterator[LintFinding]:
    asked = {name for expression in rules for name in asked_configurations(expression)}
    checked = _checked_claims([*rules, *custom])
    for index, configuration in enumerate(config.configurations):
        place: Place = ("token_configurations", index)
        for notice in configuration.keys.notices:
            yield LintFinding(place, f'of the token configuration "{configuration.id}", {notice.text}')
        for source in configuration.token_sources:
            if source.kind == "header" and source.name.startswith(_STRIPPED):
                yield LintFinding(
                    place, f'the header "{source.name}" is removed from every request before tokens are looked for'
                )
        if len(configuration.token_sources) > 1:
            yield LintFinding(
                place,
                f'the token configuration "{configuration.id}" has several sources and looks at the first alone: '
                "another token behind it reaches your API unseen. Use one configuration for each source",
            )
        missing = [claim for claim in ("iss", "aud") if (configuration.id, claim) not in checked]
        if configuration.id in asked and missing:
            names = " and ".join(missing)
            yield LintFinding(
                place,
                f'no rule checks {names} of the token configuration "{configuration.id}": every token that its keys '
                f'signed counts, for any audience. Write for example: {_CLAIMS}.{missing[0]}["{configuration.id}"][0] '
                'eq "https://api.example.com"',
            )


def _about_custom_rules(rules: Sequence[tuple[int, RuleExpression]], known: frozenset[str]) -> Iterator[LintFinding]:
    for index, expression in rules:
        place: Place = ("custom_rules", index)
        for part in parts_of(expression.root):
            if (
                isinstance(part, Comparison)
                and part.operator == "ne"
                and _CLAIMS in expression.text[part.start : part.end]
            ):
                written = expression.text[part.start : part.end]
                yield LintFinding(
                    place,
                    f"`{written}` is false where the claim is missing, so a request without a valid token passes; "
                    "write: not ... eq ...",
                )
        for part in indexed_parts(expression.root):
            key = _claims_key(part)
            if key is not None and key not in known:
                yield LintFinding(place, f'the rule asks for claims of "{key}", which is not a token configuration')


def _about_rate_limits(
    config: ShieldConfig, rules: Sequence[tuple[ValidationRule, RuleExpression]]
) -> Iterator[LintFinding]:
    validated = any(
        rule.enabled and rule.action == "block" and not passes_invalid_tokens(expression) for rule, expression in rules
    )
    for index, limit in enumerate(config.rate_limits):
        if not validated and any(_CLAIMS in text for text in limit.characteristics):
            yield LintFinding(
                ("rate_limits", index),
                "requests are counted by a claim, and no rule blocks invalid tokens: all requests without a valid one "
                "share one counter and are limited together",
            )


def _claims_key(part: Indexed) -> str | None:
    """The configuration id of a claims field."""
    if isinstance(part.base, FieldAccess) and part.base.name.startswith(_CLAIMS) and part.indices:
        first = part.indices[0]
        return first if isinstance(first, str) else None
    return None


def _checked_claims(expressions: Sequence[RuleExpression]) -> set[tuple[str, str]]:
    """(configuration id, claim) of all claims that some expression looks at."""
    found: set[tuple[str, str]] = set()
    for expression in expressions:
        for part in indexed_parts(expression.root):
            key = _claims_key(part)
            if key is None or not isinstance(part.base, FieldAccess):
                continue
            claim = part.base.name.removeprefix(_CLAIMS).removeprefix(".")
            names = (
                [claim.split(".")[0]] if claim else [name for name in ("iss", "aud") if f'"{name}"' in expression.text]
            )
            found.update((key, name) for name in names)
    return found
