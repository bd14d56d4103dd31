"""API Shield over REST: validation rules, their order, and what a selector covers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import uuid4

from edgeworker.config import JSON
from edgeworker.expressions import ExpressionError
from edgeworker.messages import Response
from edgeworker.products.api_shield.compiled import check_rule_expression, includes
from edgeworker.products.api_shield.config import (
    MAX_DESCRIPTION_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    ValidationRule,
)
from edgeworker.products.api_shield.objects import operation_json, rule_json
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.state import Conflict
from wrangler_compat.api.api_shield.members import (
    JSONObject,
    as_list,
    as_object,
    read_action,
    read_bool,
    read_text,
    read_texts,
    refuse_unknown,
)
from wrangler_compat.api.api_shield.shielded_zone import (
    ShieldedZone,
    changed_meanwhile,
    invalid,
    listing,
    load_zone,
    not_found,
    query_values,
    read_json,
    refuse_source,
    timestamp,
)

MAX_RULES = 500
_MEMBERS = ("title", "description", "action", "enabled", "expression", "selector")


async def list_rules(call: Call) -> Response:
    zone = await load_zone(call)
    ids = [*query_values(call, "id"), *query_values(call, "rule_id")]
    hosts = [*query_values(call, "host"), *query_values(call, "hostname")]
    configurations = query_values(call, "token_configuration")
    action, enabled = call.query.get("action"), call.query.get("enabled")
    found = [
        rule
        for rule in zone.config.rules
        if (not ids or rule.id in ids)
        and (not hosts or any(host in (rule.include_hosts or ()) for host in hosts))
        and (not configurations or any(one in rule.expression for one in configurations))
        and (action is None or rule.action == action)
        and (enabled is None or rule.enabled == (enabled == "true"))
    ]
    return listing(call, [rule_json(rule) for rule in found])


async def create_rule(call: Call) -> Response:
    zone = await load_zone(call)
    (made,) = await _create(call, zone, [await read_json(call)])
    return success(rule_json(made))


async def create_rules(call: Call) -> Response:
    """All of them or none."""
    zone = await load_zone(call)
    made = await _create(call, zone, as_list(await read_json(call), "the body"))
    shown: list[JSON] = [rule_json(rule) for rule in made]
    return success(shown)


async def get_rule(call: Call) -> Response:
    zone = await load_zone(call)
    return success(rule_json(_find(zone, call.params["rule"])))


async def edit_rule(call: Call) -> Response:
    zone = await load_zone(call)
    value = as_object(await read_json(call), "the body")
    (changed,) = await _edit(call, zone, [(call.params["rule"], value)])
    return success(rule_json(changed))


async def edit_rules(call: Call) -> Response:
    """All of them or none."""
    zone = await load_zone(call)
    changes = []
    for index, item in enumerate(as_list(await read_json(call), "the body")):
        value = as_object(item, f"[{index}]")
        id = value.get("id")
        if not isinstance(id, str):
            raise invalid(f"[{index}].id is missing or not a text")
        changes.append((id, {name: member for name, member in value.items() if name != "id"}))
    changed = await _edit(call, zone, changes)
    shown: list[JSON] = [rule_json(rule) for rule in changed]
    return success(shown)


async def delete_rule(call: Call) -> Response:
    zone = await load_zone(call)
    rule = _find(zone, call.params["rule"])
    refuse_source("the rule", rule.source)
    await zone.objects.delete_rule(rule.id)
    return success({"id": rule.id})


async def preview_rule(call: Call) -> Response:
    """Every operation of the zone, and whether a selector covers it. `{}` selects nothing."""
    zone = await load_zone(call)
    value = as_object(await read_json(call), "the body")
    hosts, excluded = _selector(value)
    selector = ValidationRule("", "", "log", "", include_hosts=hosts, excluded_operations=excluded)
    states: list[tuple[str, dict[str, JSON]]] = []
    for operation in zone.config.operations:
        if operation.id in excluded:
            state = "excluded"
        else:
            state = "included" if hosts is not None and includes(selector, operation) else "ignored"
        states.append((state, {**operation_json(operation), "state": state}))
    counts = {name: sum(state == name for state, _ in states) for name in ("included", "excluded", "ignored")}
    selected: list[JSON] = list(dict.fromkeys(shown["host"] for state, shown in states if state == "included"))
    available: list[JSON] = list(dict.fromkeys(operation.host for operation in zone.config.operations))
    operations: list[JSON] = [shown for _, shown in states]
    return success(
        {
            "operations": operations,
            "total": len(states),
            **counts,
            "selected_hosts": selected,
            "available_hosts": available,
        },
        result_info={"page": 1, "per_page": len(states), "count": len(states), "total_count": len(states)},
    )


def _find(zone: ShieldedZone, id: str) -> ValidationRule:
    found = next((rule for rule in zone.config.rules if rule.id == id), None)
    if found is None:
        raise not_found("rule", id)
    return found


async def _create(call: Call, zone: ShieldedZone, values: Sequence[JSON]) -> list[ValidationRule]:
    if len(zone.config.rules) + len(values) > MAX_RULES:
        raise invalid(f"a zone has at most {MAX_RULES} rules")
    now = timestamp(call.clock)
    made = []
    for index, item in enumerate(values):
        value = as_object(item, f"[{index}]")
        missing = [name for name in _MEMBERS if name not in value]
        if missing:
            raise invalid(f"{missing[0]} is missing")
        blank = ValidationRule(str(uuid4()), "", "log", "", created_at=now)
        made.append(_change(call, zone, blank, value))
    order = [*(rule.id for rule in zone.stored.rules), *(rule.id for rule in made)]
    await _save(zone, made, order)
    return made


async def _edit(call: Call, zone: ShieldedZone, changes: Sequence[tuple[str, JSONObject]]) -> list[ValidationRule]:
    order = [rule.id for rule in zone.stored.rules]
    changed: dict[str, ValidationRule] = {}
    for id, value in changes:
        rule = changed.get(id) or _find(zone, id)
        refuse_source("the rule", rule.source)
        members = {name: member for name, member in value.items() if name != "position"}
        changed[id] = _change(call, zone, rule, members)
        if "position" in value:
            order = _move(order, id, value["position"])
    await _save(zone, list(changed.values()), order)
    return [changed[id] for id, _ in changes]


async def _save(zone: ShieldedZone, rules: Sequence[ValidationRule], order: Sequence[str]) -> None:
    try:
        await zone.objects.put_rules(rules, order, order_revision=zone.stored.order_revision)
    except Conflict as conflict:
        raise changed_meanwhile(conflict) from None


def _change(call: Call, zone: ShieldedZone, rule: ValidationRule, value: JSONObject) -> ValidationRule:
    """The rule with the members that `value` has."""
    refuse_unknown(value, _MEMBERS, "the rule")
    changed = replace(rule, last_updated=timestamp(call.clock), modified_by=call.principal.name)
    if "title" in value:
        changed = replace(changed, title=read_text(value, "title", longest=MAX_TITLE_CHARACTERS))
    if "description" in value:
        text = read_text(value, "description", longest=MAX_DESCRIPTION_CHARACTERS, may_be_empty=True)
        changed = replace(changed, description=text)
    if "action" in value:
        changed = replace(changed, action=read_action(value))
    if "enabled" in value:
        changed = replace(changed, enabled=read_bool(value, "enabled"))
    if "expression" in value:
        changed = replace(changed, expression=_expression(zone, value))
    if "selector" in value:
        hosts, excluded = _selector(as_object(value["selector"], "selector"))
        changed = replace(changed, include_hosts=hosts, excluded_operations=excluded)
    return changed


def _expression(zone: ShieldedZone, value: JSONObject) -> str:
    text = value.get("expression")
    if not isinstance(text, str):
        raise invalid("expression is missing or not a text")
    try:
        check_rule_expression(text, frozenset(one.id for one in zone.config.configurations))
    except ExpressionError as error:
        raise invalid(f"expression: {error}\n{error.pointed}") from None
    return text


def _selector(value: JSONObject) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """(hosts or None, ids of excluded operations)."""
    refuse_unknown(value, ("include", "exclude"), "selector")
    include, exclude = value.get("include"), value.get("exclude")
    hosts: tuple[str, ...] | None = None
    if include is not None:
        hosts = tuple(host.lower() for host in _collect(include, "include", "host"))
        hosts = hosts or None
    return hosts, tuple(_collect(exclude, "exclude", "operation_ids")) if exclude is not None else ()


def _collect(value: JSON, name: str, member: str) -> list[str]:
    found: list[str] = []
    for index, item in enumerate(as_list(value, name)):
        members = as_object(item, f"{name}[{index}]")
        refuse_unknown(members, (member,), f"{name}[{index}]")
        if members.get(member) is not None:
            found += read_texts(members[member], f"{name}[{index}].{member}")
    return found


def _move(order: Sequence[str], id: str, position: JSON) -> list[str]:
    """The order with `id` at its new place: {index} counts from 1 among the rules that were made over the API, {before}
    and {after} name another rule, and "" is the beginning or the end."""
    value = as_object(position, "position")
    others = [one for one in order if one != id]
    if len(value) != 1:
        raise invalid("position has one of index, before, after")
    ((name, place),) = value.items()
    match name, place:
        case "index", int(index) if not isinstance(place, bool) and index >= 1:
            at = min(index - 1, len(others))
        case "before", "":
            at = 0
        case "after", "":
            at = len(others)
        case "before" | "after", str(other) if other in others:
            at = others.index(other) + (name == "after")
        case "before" | "after", str(other):
            raise not_found("rule", other)
        case _:
            raise invalid('position is {"index": 1}, {"before": "RULE"} or {"after": "RULE"}')
    return [*others[:at], id, *others[at:]]


ANSWERS: Final = {
    function.__name__: function
    for function in (
        preview_rule,
        create_rules,
        edit_rules,
        list_rules,
        create_rule,
        get_rule,
        edit_rule,
        delete_rule,
    )
}
