"""Access over REST: applications and their own policies."""

import secrets
import uuid
from collections.abc import Mapping
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.access.config import Application, Destination, Policy, PublicDestination, WorkerDestination
from edgeworker.products.access.json_object import InvalidObject, format_duration
from edgeworker.products.access.objects import hash_secret, parse_application
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
    listing,
    not_found,
    times,
)
from wrangler_compat.api.access.object_endpoints import put_object
from wrangler_compat.api.access.rule_objects import check_tokens, checked_policy, own_members, policy_view

_DEFAULTS: Final[dict[str, JSON]] = {
    "allowed_idps": [],
    "app_launcher_visible": True,
    "auto_redirect_to_identity": False,
    "enable_binding_cookie": False,
    "http_only_cookie_attribute": True,
    "options_preflight_bypass": False,
    "path_cookie_attribute": False,
    "service_auth_401_redirect": False,
    "skip_interstitial": False,
    "tags": [],
}
_SECRET_BYTES: Final = 32


async def list_apps(call: Call) -> Response:
    """Filters: name, domain, aud, search, destination_type, worker_id."""
    account = account_of(call)
    shown: list[JSON] = []
    policies = await account.reusable()
    for item in await account.objects("app"):
        application = _parse(item, policies)
        if _is_wanted(application, call.query):
            shown.append(_view(item, application))
    return listing(call, shown)


def _is_wanted(application: Application, query: Mapping[str, str]) -> bool:
    exact = query.get("exact") == "true"
    for name, value in (("name", application.name), ("domain", application.domain), ("aud", application.aud)):
        wanted = query.get(name)
        if wanted and not (value == wanted if exact or name == "aud" else wanted.lower() in value.lower()):
            return False
    search = query.get("search", "").lower()
    if search and search not in f"{application.name} {application.domain} {application.aud}".lower():
        return False
    kinds = {str(_destination(place)["type"]) for place in application.destinations}
    workers = {str(_destination(place).get("worker_id")) for place in application.destinations}
    if query.get("destination_type") and query["destination_type"] not in kinds:
        return False
    return not query.get("worker_id") or query["worker_id"] in workers


async def get_app(call: Call) -> Response:
    account = account_of(call)
    item = await account.find("app", call.params["app"])
    return success(_view(item, _parse(item, await account.reusable())))


async def create_app(call: Call) -> Response:
    account = account_of(call)
    value = own_members(await body_of(call))
    value["aud"] = secrets.token_hex(32)
    secret = _with_client(value)
    application = await _check(account, value)
    item = await put_object(account, "app", value)
    return success(_view(item, application, client_secret=secret))


async def update_app(call: Call) -> Response:
    account = account_of(call)
    known = await account.find_own("app", call.params["app"])
    value = own_members(await body_of(call))
    value["aud"] = known.value.get("aud")
    # Policies of the application have endpoints of their own; a request that does not name them does not remove them.
    value.setdefault("policies", known.value.get("policies", []))
    _keep_client(value, known.value)
    application = await _check(account, value)
    return success(_view(await put_object(account, "app", value, known), application))


async def delete_app(call: Call) -> Response:
    account = account_of(call)
    known = await account.find_own("app", call.params["app"])
    await account.commit([Delete("app", known.id)])
    return success({"id": known.id})


async def update_app_settings(call: Call) -> Response:
    """PUT sets both, PATCH what it names."""
    account = account_of(call)
    known = await account.find_own("app", call.params["app"])
    given = await body_of(call)
    settings: dict[str, JSON] = {}
    for name in ("allow_iframe", "skip_interstitial"):
        kept = known.value.get(name, False) if call.request.method == "PATCH" else False
        settings[name] = given.get(name, kept)
        if not isinstance(settings[name], bool):
            raise invalid(f"{name} must be true or false")
    value = {**known.value, **settings}
    await _check(account, value)
    await put_object(account, "app", value, known)
    return success(settings)


async def revoke_app_tokens(call: Call) -> Response:
    """Every token of the application is void from the next request on; its users may log in again."""
    account = account_of(call)
    known = await account.find("app", call.params["app"])
    await account.sessions.revoke_application(known.id)
    return success({})


async def list_app_policies(call: Call) -> Response:
    _, application, values = await _policies(call)
    shown: list[JSON] = [
        policy_view(policy, value, precedence=index)
        for index, (policy, value) in enumerate(zip(application.policies, values, strict=True), 1)
    ]
    return listing(call, shown)


async def get_app_policy(call: Call) -> Response:
    _, application, values = await _policies(call)
    index = _index(application, call.params["policy"])
    return success(policy_view(application.policies[index], values[index], precedence=index + 1))


async def create_app_policy(call: Call) -> Response:
    account = account_of(call)
    known = await account.find_own("app", call.params["app"])
    value = own_members(await body_of(call))
    precedence = value.pop("precedence", None)
    value["id"] = str(uuid.uuid4())
    value["created_at"] = value["updated_at"] = account.now
    policy = await checked_policy(account, value)
    policies = _list(known.value)
    at = len(policies) if not isinstance(precedence, int) else min(max(precedence - 1, 0), len(policies))
    policies.insert(at, value)
    await _save(account, known, policies)
    return success(policy_view(policy, value, precedence=at + 1))


async def update_app_policy(call: Call) -> Response:
    account = account_of(call)
    known = await account.find_own("app", call.params["app"])
    application = _parse(known, await account.reusable())
    index = _index(application, call.params["policy"])
    value = own_members(await body_of(call))
    precedence = value.pop("precedence", None)
    value["id"] = call.params["policy"]
    value["updated_at"] = account.now
    policy = await checked_policy(account, value)
    policies = _list(known.value)
    del policies[index]
    at = index if not isinstance(precedence, int) else min(max(precedence - 1, 0), len(policies))
    policies.insert(at, value)
    await _save(account, known, policies)
    return success(policy_view(policy, value, precedence=at + 1))


async def delete_app_policy(call: Call) -> Response:
    account = account_of(call)
    known = await account.find_own("app", call.params["app"])
    index = _index(_parse(known, await account.reusable()), call.params["policy"])
    policies = _list(known.value)
    del policies[index]
    await _save(account, known, policies)
    return success({"id": call.params["policy"]})


async def _policies(call: Call) -> tuple[StoredObject, Application, list[dict[str, JSON]]]:
    account = account_of(call)
    item = await account.find("app", call.params["app"])
    application = _parse(item, await account.reusable())
    written = _list(item.value)
    values = [value if isinstance(value, dict) else {} for value in written]
    return item, application, values


def _index(application: Application, policy_id: str) -> int:
    for index, policy in enumerate(application.policies):
        if policy.id == policy_id:
            return index
    raise not_found("policy", policy_id)


def _list(value: Mapping[str, JSON]) -> list[JSON]:
    """The policies as they are written, in the order in which they count."""
    written = value.get("policies")
    return list(written) if isinstance(written, list) else []


async def _save(account: AccessAccount, known: StoredObject, policies: list[JSON]) -> None:
    value = {**known.value, "policies": policies}
    await _check(account, value)
    await put_object(account, "app", value, known)


async def _check(account: AccessAccount, value: dict[str, JSON]) -> Application:
    """Gives inline policies their ids, in their order. Raises ApiError (400)."""
    policies = _list(value)

    def precedence(entry: tuple[int, JSON]) -> int:
        index, item = entry
        given = item.get("precedence") if isinstance(item, dict) else None
        return given if isinstance(given, int) else index + 1

    ordered: list[JSON] = []
    for _, item in sorted(enumerate(policies), key=precedence):
        if isinstance(item, dict):
            item = {name: part for name, part in item.items() if name != "precedence"}
            if "decision" in item:
                item.setdefault("id", str(uuid.uuid4()))
        ordered.append(item)
    value["policies"] = ordered
    try:
        application = parse_application(value, policies=await account.reusable())
    except InvalidObject as error:
        raise invalid_object(error) from None
    for policy in application.policies:
        await check_tokens(account, policy)
    return application


def _with_client(value: dict[str, JSON]) -> str:
    """Gives an OpenID application its client; returns the secret, which is shown once."""
    saas = value.get("saas_app")
    if value.get("type") != "saas" or not isinstance(saas, dict):
        return ""
    secret = secrets.token_hex(_SECRET_BYTES)
    client_id = secrets.token_hex(_SECRET_BYTES)
    value["saas_app"] = {**saas, "client_id": client_id, "client_secret_hash": hash_secret(secret)}
    return secret


def _keep_client(value: dict[str, JSON], known: Mapping[str, JSON]) -> None:
    saas, before = value.get("saas_app"), known.get("saas_app")
    if isinstance(saas, dict) and isinstance(before, dict):
        ours = ("client_id", "client_secret_hash")
        kept: dict[str, JSON] = {name: item for name, item in before.items() if name in ours}
        value["saas_app"] = {**saas, **kept}


def _parse(item: StoredObject, policies: Mapping[str, Policy]) -> Application:
    return parse_application({**item.value, "id": item.id}, policies=policies)


def _view(item: StoredObject, application: Application, *, client_secret: str = "") -> dict[str, JSON]:
    written = _list(item.value)
    values = [value if isinstance(value, dict) else {} for value in written]
    policies: list[JSON] = [
        policy_view(policy, value, precedence=index)
        for index, (policy, value) in enumerate(zip(application.policies, values, strict=True), 1)
    ]
    shown: dict[str, JSON] = {
        **_DEFAULTS,
        **{name: value for name, value in item.value.items() if not name.endswith("_at")},
        "id": item.id,
        "uid": item.id,
        "aud": application.aud,
        "name": application.name,
        "type": application.type,
        "domain": application.domain,
        "destinations": [_destination(place) for place in application.destinations],
        "policies": policies,
        "session_duration": format_duration(application.session_seconds or 86_400),
        **times(item.value),
    }
    hosts: list[JSON] = [place.uri for place in application.destinations if isinstance(place, PublicDestination)]
    shown["self_hosted_domains"] = hosts
    saas = shown.get("saas_app")
    if isinstance(saas, dict):
        secret: dict[str, JSON] = {"client_secret": client_secret} if client_secret else {}
        kept = {name: value for name, value in saas.items() if name not in ("client_secret", "client_secret_hash")}
        shown["saas_app"] = {**kept, **secret}
    return shown


def _destination(place: Destination) -> dict[str, JSON]:
    match place:
        case PublicDestination():
            return {"type": "public", "uri": place.uri}
        case WorkerDestination(None, previews):
            return {"type": "all_preview_workers" if previews else "all_workers"}
        case WorkerDestination(worker, previews):
            return {"type": "preview_worker" if previews else "worker", "worker_id": worker}
