"""Cloudflare's own Python SDK against every call of API Shield, over a socket."""

import cloudflare
import pytest
from cloudflare import AsyncCloudflare

from tests.products.api_shield.minting import signing_key
from tests.wrangler_compat.api.api_shield.conftest import OTHER_ZONE, ZONE

SOURCE = 'http.request.headers["authorization"][0]'


async def test_the_sdk_manages_operations(sdk: AsyncCloudflare) -> None:
    operations = sdk.api_gateway.operations
    made = await operations.create(zone_id=ZONE, method="GET", host="api.test", endpoint="/users/{id}")
    bulk = operations.bulk_create(
        zone_id=ZONE, body=[{"method": "POST", "host": "api.test", "endpoint": f"/{number}"} for number in range(25)]
    )

    assert made.endpoint == "/users/{var1}"
    assert len([item async for item in bulk]) == 25
    assert len([item async for item in operations.list(zone_id=ZONE)]) == 26
    found = [item async for item in operations.list(zone_id=ZONE, method=["GET"], host=["api.test", "b.test"])]
    assert [item.operation_id for item in found] == [made.operation_id]
    assert (await operations.get(made.operation_id, zone_id=ZONE)).last_updated == made.last_updated
    await operations.delete(made.operation_id, zone_id=ZONE)
    await operations.bulk_delete(zone_id=ZONE)
    assert [item async for item in operations.list(zone_id=ZONE)] == []


async def test_the_sdk_manages_configurations_and_rules(sdk: AsyncCloudflare) -> None:
    validation = sdk.token_validation
    configuration = await validation.configuration.create(
        zone_id=ZONE,
        title="t",
        description="d",
        token_type="JWT",
        token_sources=[SOURCE],
        credentials={"keys": [signing_key("ES256").jwk()]},  # type: ignore[list-item]  # a key as it is
    )
    credentials = validation.configuration.credentials
    replaced = await credentials.update(
        configuration.id,
        zone_id=ZONE,
        keys=[signing_key("RS256").jwk(), signing_key("HS256", "h").jwk()],  # type: ignore[list-item]  # keys as they are
    )
    edited = await credentials.edit(
        configuration.id,
        zone_id=ZONE,
        keys=[{"kty": "oct", "alg": "HS256", "kid": "h"}],  # the secret is kept
    )
    renamed = await validation.configuration.edit(configuration.id, zone_id=ZONE, title="renamed")
    rule = await validation.rules.create(
        zone_id=ZONE,
        title="r",
        description="",
        action="log",
        enabled=True,
        expression=f'is_jwt_valid("{configuration.id}")',
        selector={"include": [{"host": ["api.test"]}]},
    )
    others = validation.rules.bulk_create(
        zone_id=ZONE,
        body=[
            {
                "title": "first",
                "description": "",
                "action": "block",
                "enabled": False,
                "expression": "ssl",
                "selector": {},
            }
        ],
    )
    (other,) = [item async for item in others]
    moved = validation.rules.bulk_edit(zone_id=ZONE, body=[{"id": str(other.id), "position": {"index": 1}}])

    assert [key.kid for key in replaced.keys] == ["k1", "h"]
    assert [key.kid for key in edited.keys] == ["h"]
    assert renamed.title == "renamed"
    assert [item.id async for item in moved] == [other.id]
    assert [item.title async for item in validation.rules.list(zone_id=ZONE)] == ["first", "r"]
    listed = validation.rules.list(zone_id=ZONE, token_configuration=[configuration.id])
    assert [item.id async for item in listed] == [rule.id]
    assert (await validation.rules.edit(str(rule.id), zone_id=ZONE, action="block")).action == "block"
    assert (await validation.rules.get(str(rule.id), zone_id=ZONE)).selector.include[0].host == ["api.test"]  # type: ignore[index]
    with pytest.raises(cloudflare.ConflictError, match="10409"):
        await validation.configuration.delete(configuration.id, zone_id=ZONE)
    await validation.rules.delete(str(rule.id), zone_id=ZONE)
    assert (await validation.configuration.delete(configuration.id, zone_id=ZONE)).id == configuration.id
    assert [item async for item in validation.configuration.list(zone_id=ZONE)] == []


async def test_the_sdk_is_told_that_a_zone_is_not_entitled(sdk: AsyncCloudflare) -> None:
    with pytest.raises(cloudflare.PermissionDeniedError, match="10403"):
        await sdk.api_gateway.operations.create(zone_id=OTHER_ZONE, method="GET", host="a.test", endpoint="/")
