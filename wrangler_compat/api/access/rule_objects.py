"""Access over REST: groups, reusable policies, and what policies of any kind may name."""

from collections.abc import Mapping
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.access.config import AccessGroup, Policy
from edgeworker.products.access.json_object import InvalidObject, format_duration
from edgeworker.products.access.objects import parse_group, parse_policy
from edgeworker.products.access.rules import Rule, ServiceTokenRule, rule_json
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.state import Delete
from wrangler_compat.api.access.account import (
    AccessAccount,
    StoredObject,
    account_of,
    body_of,
    invalid,
    invalid_object,
    times,
)
from wrangler_compat.api.access.object_endpoints import ObjectEndpoints

_OURS = frozenset({"id", "created_at", "updated_at", "aud", "uid"})


def own_members(body: Mapping[str, JSON]) -> dict[str, JSON]:
    """What a client may set."""
    return {name: value for name, value in body.items() if name not in _OURS}


async def checked_policy(account: AccessAccount, value: dict[str, JSON]) -> Policy:
    """Raises ApiError (400)."""
    try:
        policy = parse_policy(value)
    except InvalidObject as error:
        raise invalid_object(error) from None
    await check_tokens(account, policy)
    return policy


async def check_tokens(account: AccessAccount, policy: Policy | AccessGroup) -> None:
    """A rule for a service token names its UUID. Raises ApiError (400), as the real one does for a Client ID."""
    known = {item.id for item in await account.objects("service_token")}
    for member, rules in (("include", policy.include), ("require", policy.require), ("exclude", policy.exclude)):
        for rule in rules:
            if isinstance(rule, ServiceTokenRule) and rule.token_id not in known:
                text = f"there is no service token with the id {rule.token_id}"
                raise invalid(f"invalid '{member}' configuration: {text}")


def policy_view(policy: Policy, value: Mapping[str, JSON], *, precedence: int | None = None) -> dict[str, JSON]:
    shown: dict[str, JSON] = {
        "approval_required": False,
        "purpose_justification_required": False,
        **{name: item for name, item in value.items() if not name.endswith("_at")},
        "id": policy.id,
        "name": policy.name,
        "decision": policy.decision,
        **rules_view(policy),
        **times(value),
    }
    if policy.session_seconds is not None:
        shown["session_duration"] = format_duration(policy.session_seconds)
    if precedence is not None:
        shown["precedence"] = precedence
    return shown


def rules_view(policy: Policy | AccessGroup) -> dict[str, JSON]:
    def several(rules: tuple[Rule, ...]) -> list[JSON]:
        return [rule_json(rule) for rule in rules]

    return {
        "include": several(policy.include),
        "require": several(policy.require),
        "exclude": several(policy.exclude),
    }


def _reusable_view(item: StoredObject) -> dict[str, JSON]:
    return {**policy_view(parse_policy({**item.value, "id": item.id}), item.value), "reusable": True}


def _group_view(item: StoredObject) -> dict[str, JSON]:
    group = parse_group({**item.value, "id": item.id})
    return {
        "id": item.id,
        "uid": item.id,
        "name": group.name,
        "is_default": [{"everyone": {}}] if item.value.get("is_default") else [],
        **rules_view(group),
        **times(item.value),
    }


async def _read_policy(account: AccessAccount, call: Call) -> dict[str, JSON]:
    value = own_members(await body_of(call))
    await checked_policy(account, value)
    return value


async def _read_group(account: AccessAccount, call: Call) -> dict[str, JSON]:
    value = own_members(await body_of(call))
    try:
        group = parse_group(value)
    except InvalidObject as error:
        raise invalid_object(error) from None
    await check_tokens(account, group)
    return value


POLICIES: Final = ObjectEndpoints("policy", "policy", _read_policy, _reusable_view)
GROUPS: Final = ObjectEndpoints("group", "group", _read_group, _group_view)


async def delete_policy(call: Call) -> Response:
    """A policy that an application names cannot be deleted: the application would lose it without a word."""
    account = account_of(call)
    known = await account.find_own("policy", call.params["policy"])
    name = known.value.get("name")
    for app in await account.objects("app"):
        named = app.value.get("policies")
        for item in named if isinstance(named, list) else []:
            found = item.get("id") if isinstance(item, dict) else item
            if found in (known.id, name):
                raise invalid(f'the policy is used by the application "{app.value.get("name")}"')
    await account.commit([Delete("policy", known.id)])
    return success({"id": known.id})
