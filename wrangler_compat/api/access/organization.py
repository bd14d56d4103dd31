"""Access over REST: the organization, its keys, identity providers, and users with their sessions."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.access.config import DAY_SECONDS, made_up_account
from edgeworker.products.access.directory import ORGANIZATION
from edgeworker.products.access.identity_document import identity_document
from edgeworker.products.access.json_object import InvalidObject, format_duration
from edgeworker.products.access.organization import parse_organization
from edgeworker.products.access.provider_objects import parse_identity_provider
from edgeworker.products.access.sessions import email_key, identity_of, is_email
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.rest.errors import AccessCode, ApiError
from edgeworker.state import Delete, Document, Put
from wrangler_compat.api.access.account import (
    AccessAccount,
    StoredObject,
    account_of,
    body_of,
    invalid,
    invalid_object,
    listing,
    not_found,
    read_only,
    times,
    timestamp,
)
from wrangler_compat.api.access.object_endpoints import put_object
from wrangler_compat.api.access.rule_objects import own_members

_MAX_NAME: Final = 200
_SECRETS: Final = ("client_secret", "api_token", "private_key")
_HIDDEN: Final = "**********************************"


async def get_organization(call: Call) -> Response:
    return success(await _organization(account_of(call)))


async def create_organization(call: Call) -> Response:
    place = account_of(call).config.source or "edge.toml"
    text = f"access.api.error.conflict: the organization exists; it is written in {place}"
    raise ApiError(409, AccessCode.CONFLICT, text)


async def update_organization(call: Call) -> Response:
    """Settings that edge.toml has are read-only."""
    account = account_of(call)
    await _change(account, own_members(await body_of(call)))
    return success(await _organization(account))


async def _change(account: AccessAccount, changes: dict[str, JSON]) -> None:
    for name, value in changes.items():
        if name in account.config.organization and account.config.organization[name] != value:
            raise read_only(f"setting {name}", account.config.source or "edge.toml")
    if changes.get("auth_domain", account.config.auth_domain) != account.config.auth_domain:
        raise read_only("team domain", account.config.source or "edge.toml")
    known = await account.documents.get(*ORGANIZATION)
    value = {**({} if known is None else known.value), **changes, "updated_at": account.now}
    try:
        parse_organization(account.config, value)
    except InvalidObject as error:
        raise invalid_object(error) from None
    await account.commit([Put(*ORGANIZATION, value, if_revision=0 if known is None else known.revision)])


async def _organization(account: AccessAccount) -> dict[str, JSON]:
    known = await account.documents.get(*ORGANIZATION)
    value = {} if known is None else dict(known.value)
    organization = parse_organization(account.config, value)
    exempted: list[JSON] = [*organization.deny_unmatched_exempted]
    return {
        **{name: item for name, item in value.items() if not name.endswith("_at")},
        **dict(account.config.organization),
        "auth_domain": organization.auth_domain,
        "name": organization.name,
        "session_duration": format_duration(organization.session_seconds),
        "auto_redirect_to_identity": organization.auto_redirect_to_identity,
        "strict_service_token_auth": organization.strict_service_tokens,
        "deny_unmatched_requests": organization.deny_unmatched,
        "deny_unmatched_requests_exempted_zone_names": exempted,
        "is_ui_read_only": False,
        **times(value),
    }


async def revoke_user(call: Call) -> Response:
    """Every session of the person ends with the next request; a new login may begin at once."""
    account = account_of(call)
    body = await body_of(call)
    email, uid = body.get("email"), body.get("user_uid")
    if not isinstance(email, str) and not isinstance(uid, str):
        raise invalid('the body has no "email"')
    for user in await account.documents.list("user"):
        same_email = isinstance(email, str) and user.value.get("email") == email.lower()
        if same_email or (isinstance(uid, str) and user.value.get("uuid") == uid):
            await account.sessions.revoke_user(str(user.value.get("uuid")))
    return success(True)


async def get_keys(call: Call) -> Response:
    return success(await _keys(account_of(call)))


async def update_keys(call: Call) -> Response:
    account = account_of(call)
    days = (await body_of(call)).get("key_rotation_interval_days")
    if isinstance(days, float) and days.is_integer():
        days = int(days)
    if days is None:
        raise invalid('the body has no "key_rotation_interval_days"')
    await _change(account, {"key_rotation_interval_days": days})
    return success(await _keys(account))


async def rotate_keys(call: Call) -> Response:
    """A second rotation within seven days drops the older key at once: there are two slots."""
    account = account_of(call)
    before = await account.directory.current()
    await account.directory.rotate()
    told = []
    if before.keys.is_in_grace(account.now):
        text = "the last rotation was less than 7 days ago: tokens of the key before it are void now"
        told.append((int(AccessCode.CONFLICT), text))
    return success(await _keys(account), messages=told)


async def _keys(account: AccessAccount) -> dict[str, JSON]:
    snapshot = await account.directory.signing()
    days = snapshot.organization.key_rotation_days
    left = snapshot.keys.rotated_at + days * DAY_SECONDS - account.now
    return {
        "days_until_next_rotation": max(0, left // DAY_SECONDS),
        "key_rotation_interval_days": days,
        "last_key_rotation_at": timestamp(snapshot.keys.rotated_at),
    }


async def list_providers(call: Call) -> Response:
    """The two that the login page has of its own among them."""
    account = account_of(call)
    made = {item.id: _provider(item) for item in await account.objects("identity_provider")}
    snapshot = await account.directory.current()
    own: list[dict[str, JSON]] = [
        {"id": provider.id, "name": provider.name, "type": provider.type, "config": {}}
        for provider in snapshot.providers.values()
        if provider.id not in made
    ]
    return listing(call, [*made.values(), *own])


async def get_provider(call: Call) -> Response:
    return success(_provider(await account_of(call).find("identity_provider", call.params["provider"])))


async def create_provider(call: Call) -> Response:
    account = account_of(call)
    value = own_members(await body_of(call))
    _check_provider(value)
    return success(_provider(await put_object(account, "identity_provider", value)))


async def update_provider(call: Call) -> Response:
    """A secret that comes back as it was shown is kept."""
    account = account_of(call)
    known = await account.find_own("identity_provider", call.params["provider"])
    value = own_members(await body_of(call))
    config, before = value.get("config"), known.value.get("config")
    if isinstance(config, dict) and isinstance(before, dict):
        kept: dict[str, JSON] = {
            name: item for name, item in before.items() if name in _SECRETS and config.get(name) in (None, _HIDDEN)
        }
        value["config"] = {**config, **kept}
    _check_provider(value)
    return success(_provider(await put_object(account, "identity_provider", value, known)))


async def delete_provider(call: Call) -> Response:
    account = account_of(call)
    known = await account.find_own("identity_provider", call.params["provider"])
    await account.commit([Delete("identity_provider", known.id)])
    return success({"id": known.id})


def _check_provider(value: dict[str, JSON]) -> None:
    try:
        parse_identity_provider(value)
    except InvalidObject as error:
        raise invalid_object(error) from None


def _provider(item: StoredObject) -> dict[str, JSON]:
    config = item.value.get("config")
    shown = {
        name: _HIDDEN if name in _SECRETS else value
        for name, value in (config.items() if isinstance(config, dict) else ())
    }
    return {**item.value, "id": item.id, "uid": item.id, "config": shown, **times(item.value)}


async def list_users(call: Call) -> Response:
    users = await account_of(call).documents.list("user")
    wanted = call.query.get("email", "").lower() or call.query.get("search", "").lower()
    return listing(call, [_user(user) for user in users if wanted in str(user.value.get("email"))])


async def create_user(call: Call) -> Response:
    """The person finds this id at the first login, whichever provider tells the address."""
    account, value = account_of(call), await body_of(call)
    email, name = _email_of(value), _name_of(value)
    if await account.documents.get("user", email_key(email, "")) is not None:
        raise ApiError(409, AccessCode.CONFLICT, f"access.api.error.conflict: there is a user {email} already")
    await account.sessions.user_uuid(email)
    user = await account.documents.get("user", email_key(email, ""))
    if user is None:  # another caller deleted it at once
        raise not_found("user", email)
    return success(_user(await _rename_user(account, user, name)))


async def update_user(call: Call) -> Response:
    """Only the name: an id belongs to its address, and the next login tells the name anew."""
    account, value = account_of(call), await body_of(call)
    email, name = _email_of(value), _name_of(value)
    user = await _find_user(account, call)
    if email != str(user.value.get("email")).lower():
        raise invalid(f"the address of a user does not change; delete this one and create {email}")
    return success(_user(await _rename_user(account, user, name)))


async def _rename_user(account: AccessAccount, user: Document, name: str) -> Document:
    value = {**user.value, "name": name}
    await account.commit([Put("user", user.id, value, if_revision=user.revision)])
    return replace(user, value=value)


def _email_of(value: Mapping[str, JSON]) -> str:
    """As logins write it."""
    email = value.get("email")
    if not isinstance(email, str) or not is_email(email):
        raise invalid("email must be an address such as ann@example.com")
    return email.lower()


def _name_of(value: Mapping[str, JSON]) -> str:
    name = value.get("name", "")
    if not isinstance(name, str) or len(name) > _MAX_NAME or not name.isprintable():
        raise invalid(f"name must be a text of at most {_MAX_NAME} characters in one line")
    return name


async def get_user(call: Call) -> Response:
    return success(_user(await _find_user(account_of(call), call)))


async def delete_user(call: Call) -> Response:
    """The person gets another id at the next login."""
    account = account_of(call)
    user = await _find_user(account, call)
    await account.sessions.revoke_user(str(user.value.get("uuid")))
    await account.documents.delete("user", user.id)
    return success({"id": user.value.get("uuid")})


async def _find_user(account: AccessAccount, call: Call) -> Document:
    for user in await account.documents.list("user"):
        if user.value.get("uuid") == call.params["user"]:
            return user
    raise not_found("user", call.params["user"])


def _user(user: Document) -> dict[str, JSON]:
    uid = user.value.get("uuid")
    return {
        "id": uid,
        "uid": uid,
        "seat_uid": uid,
        "email": user.value.get("email"),
        "name": user.value.get("name", ""),
        "access_seat": True,
        "gateway_seat": False,
        "active_device_count": 0,
        "last_successful_login": timestamp(user.value.get("last_login")),
        "created_at": timestamp(user.value.get("created_at")),
        "updated_at": timestamp(user.value.get("last_login")),
    }


async def last_seen_identity(call: Call) -> Response:
    account = account_of(call)
    user = await _find_user(account, call)
    return success(identity_document(identity_of(_table(user.value, "last_identity")), account_id=_account_id(call)))


async def active_sessions(call: Call) -> Response:
    account = account_of(call)
    user = await _find_user(account, call)
    grants = await account.documents.list("grant")
    apps = {item.id: item for item in await account.objects("app")}
    shown: list[JSON] = []
    for session in await _sessions(account, user):
        opened: dict[str, JSON] = {
            str(apps[str(grant.value["app"])].value.get("name")): {
                "uid": grant.value.get("app"),
                "name": apps[str(grant.value["app"])].value.get("name"),
            }
            for grant in grants
            if grant.value.get("session") == session.id and grant.value.get("app") in apps
        }
        expires = session.value.get("expires_at")
        metadata: dict[str, JSON] = {
            "apps": opened,
            "expires": expires,
            "iat": _table(session.value, "identity").get("logged_in_at"),
            "nonce": session.id,
            "ttl": expires - account.now if isinstance(expires, int) else 0,
        }
        shown.append({"name": session.id, "expiration": expires, "metadata": metadata})
    return listing(call, shown)


async def active_session(call: Call) -> Response:
    account = account_of(call)
    user = await _find_user(account, call)
    for session in await _sessions(account, user):
        if session.id == call.params["nonce"]:
            identity = identity_of(_table(session.value, "identity"))
            return success({**identity_document(identity, account_id=_account_id(call)), "isActive": True})
    raise not_found("session", call.params["nonce"])


async def _sessions(account: AccessAccount, user: Document) -> list[Document]:
    snapshot = await account.directory.current()
    found = []
    for document in await account.documents.list("session"):
        if _table(document.value, "identity").get("user_uuid") != user.value.get("uuid"):
            continue
        session = await account.sessions.find(document.id, snapshot)
        if session is not None and session.expires_at > account.now:
            found.append(document)
    return found


async def failed_logins(call: Call) -> Response:
    account = account_of(call)
    user = await _find_user(account, call)
    email = user.value.get("email")
    shown: list[JSON] = [
        {"expiration": item.expires_at, "metadata": dict(item.value)}
        for item in await account.documents.list("failed_login")
        if item.value.get("email") == email
    ]
    return listing(call, shown)


def _account_id(call: Call) -> str:
    return call.config.account_id or made_up_account()


def _table(value: Mapping[str, JSON], name: str) -> dict[str, JSON]:
    item = value.get(name)
    return item if isinstance(item, dict) else {}
