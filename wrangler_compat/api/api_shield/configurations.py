"""API Shield over REST: token configurations and their credentials."""

from dataclasses import replace
from typing import Final
from uuid import uuid4

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.api_shield.config import (
    MAX_CONFIGURATIONS,
    MAX_DESCRIPTION_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    TokenConfiguration,
)
from edgeworker.products.api_shield.keys import (
    InvalidKeys,
    StoredSecrets,
    VerificationKeys,
    read_keys,
    secrets_of,
)
from edgeworker.products.api_shield.objects import configuration_json, keys_json
from edgeworker.products.api_shield.token_sources import MAX_SOURCES, TokenSource, read_source
from edgeworker.rest.call import Call
from edgeworker.rest.envelope import success
from edgeworker.rest.errors import ApiError, ApiShieldCode
from wrangler_compat.api.api_shield.members import JSONObject, as_list, as_object, read_text, read_texts, refuse_unknown
from wrangler_compat.api.api_shield.shielded_zone import (
    ShieldedZone,
    invalid,
    listing,
    load_zone,
    not_found,
    read_json,
    refuse_source,
    timestamp,
)


async def list_configurations(call: Call) -> Response:
    zone = await load_zone(call)
    return listing(call, [configuration_json(one) for one in zone.config.configurations])


async def create_configuration(call: Call) -> Response:
    zone = await load_zone(call)
    value = as_object(await read_json(call), "the body")
    if len(zone.config.configurations) >= MAX_CONFIGURATIONS:
        raise invalid(f"a zone has at most {MAX_CONFIGURATIONS} token configurations")
    token_type = value.get("token_type")
    if token_type not in ("jwt", "JWT"):
        raise invalid('token_type is missing or not "jwt"')
    now = timestamp(call.clock)
    configuration = TokenConfiguration(
        id=str(uuid4()),
        title=_title(value),
        description=_description(value),
        token_sources=_sources(value),
        keys=_keys(as_object(value.get("credentials"), "credentials"), None),
        created_at=now,
        last_updated=now,
        keys_imported_at=call.clock.now(),
    )
    await zone.objects.put_configuration(configuration)
    return success(configuration_json(configuration), messages=_messages(configuration.keys))


async def get_configuration(call: Call) -> Response:
    zone = await load_zone(call)
    return success(configuration_json(_find(zone, call)))


async def edit_configuration(call: Call) -> Response:
    """Title, description and token sources; credentials have a place of their own."""
    zone = await load_zone(call)
    configuration = _find(zone, call)
    refuse_source("the token configuration", configuration.source)
    value = as_object(await read_json(call), "the body")
    refuse_unknown(value, ("title", "description", "token_sources"), "the body")
    changed = replace(
        configuration,
        title=_title(value) if "title" in value else configuration.title,
        description=_description(value) if "description" in value else configuration.description,
        token_sources=_sources(value) if "token_sources" in value else configuration.token_sources,
        last_updated=timestamp(call.clock),
    )
    await zone.objects.put_configuration(changed)
    shown = configuration_json(changed)
    return success({name: shown[name] for name in ("id", "title", "description", "token_sources")})


async def delete_configuration(call: Call) -> Response:
    zone = await load_zone(call)
    configuration = _find(zone, call)
    refuse_source("the token configuration", configuration.source)
    using = next((rule for rule in zone.config.rules if f'"{configuration.id}"' in rule.expression), None)
    if using is not None:
        text = f'the token configuration is used by the rule {using.id} "{using.title}"; change or delete that first'
        raise ApiError(409, ApiShieldCode.CONFLICT, text)
    await zone.objects.delete_configuration(configuration.id)
    return success({"id": configuration.id})


async def put_credentials(call: Call) -> Response:
    """The whole set anew, with every secret."""
    return await _replace_credentials(call, keep_secrets=False)


async def patch_credentials(call: Call) -> Response:
    """Also the whole set, but a secret that is left out is kept."""
    return await _replace_credentials(call, keep_secrets=True)


async def _replace_credentials(call: Call, *, keep_secrets: bool) -> Response:
    zone = await load_zone(call)
    configuration = _find(zone, call)
    refuse_source("the token configuration", configuration.source)
    value = as_object(await read_json(call), "the body")
    kept = StoredSecrets(secrets_of(configuration.keys.keys)) if keep_secrets else None
    keys = _keys(value, kept)
    now = call.clock.now()
    await zone.objects.put_configuration(
        replace(configuration, keys=keys, last_updated=timestamp(call.clock), keys_imported_at=now)
    )
    return success({"keys": keys_json(keys)}, messages=_messages(keys))


def _find(zone: ShieldedZone, call: Call) -> TokenConfiguration:
    id = call.params["configuration"]
    found = next((one for one in zone.config.configurations if one.id == id), None)
    if found is None:
        raise not_found("token configuration", id)
    return found


def _title(value: JSONObject) -> str:
    return read_text(value, "title", longest=MAX_TITLE_CHARACTERS)


def _description(value: JSONObject) -> str:
    return read_text(value, "description", longest=MAX_DESCRIPTION_CHARACTERS, may_be_empty=True)


def _sources(value: JSONObject) -> tuple[TokenSource, ...]:
    texts = read_texts(value.get("token_sources"), "token_sources")
    if not 1 <= len(texts) <= MAX_SOURCES:
        raise invalid(f"token_sources has {len(texts)} items; it takes 1 to {MAX_SOURCES}")
    try:
        return tuple(read_source(text) for text in texts)
    except ValueError as error:
        raise invalid(f"token_sources: {error}") from None


def _keys(value: dict[str, JSON], kept: StoredSecrets | None) -> VerificationKeys:
    try:
        return read_keys(as_list(value.get("keys"), "keys"), kept=kept)
    except InvalidKeys as error:
        raise invalid(str(error)) from None


def _messages(keys: VerificationKeys) -> list[tuple[int, str]]:
    return [(notice.code, notice.text) for notice in keys.notices]


ANSWERS: Final = {
    function.__name__: function
    for function in (
        list_configurations,
        create_configuration,
        get_configuration,
        edit_configuration,
        delete_configuration,
        put_credentials,
        patch_credentials,
    )
}
