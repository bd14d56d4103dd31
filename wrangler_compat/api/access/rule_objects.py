"""Access over REST: groups, reusable policies, and what policies of any kind may name."""

import uuid
from collections.abc import Mapping

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.access.config import AccessGroup, ObjectKind, Policy
from edgeworker.products.access.json_object import InvalidObject, format_duration
from edgeworker.products.access.objects import parse_group, parse_policy
from edgeworker.products.access.rules import Rule, ServiceTokenRule, rule_json
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.state import Delete, Put
from wrangler_compat.api.access.account import (
    AccessAccount,
    StoredObject,
    account_of,
    body_of,
    invalid,
    invalid_object,
    listing,
    times,
)

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


async def list_policies(call: Call) -> Response:
    return listing(call, [_reusable_view(item) for item in await account_of(call).objects("policy")])


async def get_policy(call: Call) -> Response:
    return success(_reusable_view(await account_of(call).find("policy", call.params["policy"])))


async def create_policy(call: Call) -> Response:
    account = account_of(call)
    value = own_members(await body_of(call))
    await checked_policy(account, value)
    return success(_reusable_view(await put_object(account, "policy", value)))


async def update_policy(call: Call) -> Response:
    account = account_of(call)
    known = await account.find_own("policy", call.params["policy"])
    value = own_members(await body_of(call))
    await checked_policy(account, value)
    return success(_reusable_view(await put_object(account, "policy", value, known)))


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


async def list_groups(call: Call) -> Response:
    return listing(call, [_group_view(item) for item in await account_of(call).objects("group")])


async def get_group(call: Call) -> Response:
    return success(_group_view(await account_of(call).find("group", call.params["group"])))


async def create_group(call: Call) -> Response:
    account = account_of(call)
    value = own_members(await body_of(call))
    await _checked_group(account, value)
    return success(_group_view(await put_object(account, "group", value)))


async def update_group(call: Call) -> Response:
    account = account_of(call)
    known = await account.find_own("group", call.params["group"])
    value = own_members(await body_of(call))
    await _checked_group(account, value)
    return success(_group_view(await put_object(account, "group", value, known)))


async def delete_group(call: Call) -> Response:
    account = account_of(call)
    known = await account.find_own("group", call.params["group"])
    await account.commit([Delete("group", known.id)])
    return success({"id": known.id})


async def _checked_group(account: AccessAccount, value: dict[str, JSON]) -> None:
    try:
        group = parse_group(value)
    except InvalidObject as error:
        raise invalid_object(error) from None
    await check_tokens(account, group)


async def put_object(
    account: AccessAccount, kind: ObjectKind, value: dict[str, JSON], known: StoredObject | None = None
) -> StoredObject:
    """A new object, or `known` with another value. It counts with the next request in every process."""
    identifier = str(uuid.uuid4()) if known is None else known.id
    created = account.now if known is None else known.value.get("created_at", account.now)
    stored = {**value, "created_at": created, "updated_at": account.now}
    revision = 0 if known is None else known.revision
    await account.commit([Put(kind, identifier, stored, if_revision=revision)])
    return StoredObject(identifier, stored, revision=revision)
