"""Access over REST: service tokens. A secret is in one answer only."""

from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.access.json_object import parse_duration
from edgeworker.products.access.objects import hash_secret, parse_service_token
from edgeworker.products.access.service_tokens import new_client_id, new_secret
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.state import Delete
from wrangler_compat.api.access.account import (
    StoredObject,
    account_of,
    body_of,
    invalid,
    listing,
    moment_of,
    times,
    timestamp,
)
from wrangler_compat.api.access.object_endpoints import put_object

_YEAR: Final = "8760h"
_FOREVER: Final = "forever"
_MIN_GRACE_SECONDS: Final = 3600
_MAX_GRACE_SECONDS: Final = 30 * 86_400


async def list_tokens(call: Call) -> Response:
    return listing(call, [_view(item) for item in await account_of(call).objects("service_token")])


async def get_token(call: Call) -> Response:
    return success(_view(await account_of(call).find("service_token", call.params["token"])))


async def create_token(call: Call) -> Response:
    account = account_of(call)
    body = await body_of(call)
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise invalid('the service token has no "name"')
    duration = _duration(body.get("duration", _YEAR))
    secret = new_secret()
    value: dict[str, JSON] = {
        "name": name,
        "client_id": new_client_id(),
        "secret_hash": hash_secret(secret),
        "duration": duration,
        "enabled": body.get("enabled") is not False,
        "expires_at_seconds": _end(duration, account.now),
    }
    item = await put_object(account, "service_token", value)
    return success({**_view(item), "client_secret": secret})


async def update_token(call: Call) -> Response:
    """`duration` counts from now; a token that is switched off loses the previous secret of a rotation, too."""
    account = account_of(call)
    known = await account.find_own("service_token", call.params["token"])
    body = await body_of(call)
    value = dict(known.value)
    if (name := body.get("name")) is not None:
        if not isinstance(name, str) or not name.strip():
            raise invalid('"name" is not a text')
        value["name"] = name
    if "duration" in body:
        value["duration"] = _duration(body["duration"])
        value["expires_at_seconds"] = _end(str(value["duration"]), account.now)
    if "enabled" in body:
        if not isinstance(body["enabled"], bool):
            raise invalid('"enabled" is neither true nor false')
        value["enabled"] = body["enabled"]
        if body["enabled"] is False:
            value["previous_hash"], value["previous_until"] = "", 0
    if "previous_client_secret_expires_at" in body:
        value["previous_until"] = _grace(body["previous_client_secret_expires_at"], account.now)
    return success(_view(await put_object(account, "service_token", value, known)))


async def delete_token(call: Call) -> Response:
    account = account_of(call)
    known = await account.find_own("service_token", call.params["token"])
    await account.commit([Delete("service_token", known.id)])
    return success(_view(known))


async def refresh_token(call: Call) -> Response:
    """Another year from now."""
    account = account_of(call)
    known = await account.find_own("service_token", call.params["token"])
    value = {**known.value, "expires_at_seconds": _end(_YEAR, account.now)}
    return success(_view(await put_object(account, "service_token", value, known)))


async def rotate_token(call: Call) -> Response:
    """A new secret. The old one dies now, or at `previous_client_secret_expires_at`."""
    account = account_of(call)
    known = await account.find_own("service_token", call.params["token"])
    body = await body_of(call)
    until = _grace(body.get("previous_client_secret_expires_at"), account.now)
    secret = new_secret()
    value = {
        **known.value,
        "secret_hash": hash_secret(secret),
        "previous_hash": known.value.get("secret_hash") if until else "",
        "previous_until": until,
    }
    item = await put_object(account, "service_token", value, known)
    return success({**_view(item), "client_secret": secret})


def _grace(text: JSON, now: int) -> int:
    until = moment_of(text)
    if until is None:
        return 0
    if not now + _MIN_GRACE_SECONDS <= until <= now + _MAX_GRACE_SECONDS:
        raise invalid('"previous_client_secret_expires_at" has to be one hour to 30 days from now')
    return until


def _duration(text: JSON) -> str:
    if text == _FOREVER or (isinstance(text, str) and parse_duration(text)):
        return str(text)
    raise invalid(f'"{text}" is not a duration such as "8760h" or "forever"')


def _end(duration: str, now: int) -> int | None:
    return None if duration == _FOREVER else now + (parse_duration(duration) or 0)


def _view(item: StoredObject) -> dict[str, JSON]:
    token = parse_service_token({**item.value, "id": item.id})
    return {
        "id": item.id,
        "name": token.name,
        "client_id": token.client_id,
        "duration": item.value.get("duration", _FOREVER),
        "enabled": token.enabled,
        "expires_at": timestamp(token.expires_at),
        **times(item.value),
    }
