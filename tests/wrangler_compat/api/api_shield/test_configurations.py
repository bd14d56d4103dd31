"""https://developers.cloudflare.com/api/resources/token_validation/subresources/configuration/"""

from pathlib import Path

import pytest

from edgeworker.config import JSON
from edgeworker.products.api_shield.json_text import encode_base64url
from edgeworker.products.api_shield.zone_objects import ZoneObjects
from edgeworker.state import SQLiteState
from tests.kv.clocks import FakeClock
from tests.products.api_shield.minting import signing_key, small_rsa_key
from tests.wrangler_compat.api.api_shield.calls import (
    KEY,
    PATH,
    SOURCE,
    configuration_body,
    make_configuration,
    result_of,
)
from tests.wrangler_compat.api.api_shield.conftest import ZONE, Shield


def _secret(kid: str, size: int = 32, **changes: JSON) -> dict[str, JSON]:
    return {"kty": "oct", "kid": kid, "alg": "HS256", "k": encode_base64url(b"s" * size), **changes}


async def test_a_configuration_is_made_shown_changed_and_deleted(shield: Shield) -> None:
    made = result_of(await shield.call("POST", PATH, configuration_body(token_type="JWT")))
    path = f"{PATH}/{made['id']}"

    assert made["token_type"] == "JWT"
    assert made["created_at"] == made["last_updated"] == "2027-01-15T08:00:00.000000Z"
    assert result_of(await shield.call("GET", path)) == made
    assert (await shield.call("GET", PATH)).result == [made]
    changed = result_of(await shield.call("PATCH", path, {"title": "other"}))
    assert changed == {
        "id": made["id"],
        "title": "other",
        "description": made["description"],
        "token_sources": [SOURCE],
    }
    assert result_of(await shield.call("GET", path))["credentials"] == made["credentials"]
    assert result_of(await shield.call("DELETE", path)) == {"id": made["id"]}
    assert (await shield.call("GET", path)).status == 404


async def test_the_older_path_answers_too(shield: Shield) -> None:
    id = await make_configuration(shield)

    assert (await shield.call("GET", f"/api_gateway{PATH}/{id}")).status == 200


async def test_keys_are_normalised_and_what_was_dropped_or_made_up_is_told(shield: Shield) -> None:
    without_alg = {name: value for name, value in KEY.items() if name != "alg"}
    keys: list[JSON] = [{**without_alg, "use": "sig", "x5c": ["MII"]}, small_rsa_key("small").jwk()]

    answer = await shield.call("POST", PATH, configuration_body(credentials={"keys": keys}))

    assert result_of(answer)["credentials"] == {"keys": [{name: KEY[name] for name in ("kty", "kid", "alg", "n", "e")}]}
    assert answer.json["messages"] == [
        {"code": 110003, "message": 'keys[0].alg was omitted and defaulted to "RS256" (kid "k1")'},
        {"code": 110004, "message": "keys[1] was dropped: its modulus has 1024 bits; 2048 to 16384 are accepted"},
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": None}, "title is missing"),
        ({"title": " "}, "title is missing"),
        ({"title": "x" * 51}, "at most 50"),
        ({"title": "\ud800"}, "lone surrogate"),
        ({"description": None}, "description is missing"),
        ({"description": "x" * 501}, "at most 500"),
        ({"token_type": "paseto"}, "token_type"),
        ({"token_sources": []}, "takes 1 to 4"),
        ({"token_sources": [SOURCE] * 5}, "takes 1 to 4"),
        ({"token_sources": ["authorization"]}, "is not a token source"),
        ({"token_sources": SOURCE}, "not a JSON array"),
        ({"token_sources": [1]}, "array of texts"),
        ({"credentials": None}, "credentials is not a JSON object"),
        ({"credentials": {"keys": []}}, "no key is left"),
        ({"credentials": {"keys": [{**KEY, "d": "AQ"}]}}, "is a private key"),
        ({"credentials": {"keys": [KEY, KEY]}}, "two keys"),
        ({"credentials": {"keys": [_secret(str(number)) for number in range(17)]}}, "at most 16 keys"),
        ({"credentials": {"keys": [_secret("h", 31)]}}, "needs at least 32"),
    ],
)
async def test_what_is_not_a_configuration_is_refused(shield: Shield, changes: dict[str, JSON], reason: str) -> None:
    answer = await shield.call("POST", PATH, configuration_body(**changes))

    assert answer.status == 400
    assert reason in answer.message
    assert (await shield.call("GET", PATH)).result == []


async def test_a_zone_has_at_most_thirty_two_configurations(shield: Shield) -> None:
    for _ in range(32):
        await make_configuration(shield)

    answer = await shield.call("POST", PATH, configuration_body())

    assert (answer.status, "at most 32" in answer.message) == (400, True)


async def test_put_replaces_all_keys_and_needs_every_secret(shield: Shield) -> None:
    path = f"{PATH}/{await make_configuration(shield, credentials={'keys': [KEY, _secret('h')]})}/credentials"
    other = signing_key("ES256", "other").jwk()

    assert result_of(await shield.call("PUT", path, {"keys": [other]})) == {"keys": [other]}
    without = {name: value for name, value in _secret("h").items() if name != "k"}
    wrong: list[JSON] = [[without], [_secret("h", k=None)], [], [small_rsa_key("small").jwk()], "text"]
    for keys in wrong:
        assert (await shield.call("PUT", path, {"keys": keys})).status == 400
    assert result_of(await shield.call("GET", path.removesuffix("/credentials")))["credentials"] == {"keys": [other]}


async def test_patch_replaces_all_keys_and_keeps_a_secret_that_is_left_out(shield: Shield) -> None:
    path = f"{PATH}/{await make_configuration(shield, credentials={'keys': [KEY, _secret('h')]})}/credentials"
    shown: dict[str, JSON] = {"kty": "oct", "kid": "h", "alg": "HS256"}

    assert result_of(await shield.call("PATCH", path, {"keys": [shown]})) == {"keys": [shown]}
    assert result_of(await shield.call("PATCH", path, {"keys": [shown]})) == {"keys": [shown]}
    assert (await shield.call("PATCH", path, {"keys": [{**shown, "k": None}]})).status == 400
    assert (await shield.call("PATCH", path, {"keys": [{**shown, "kid": "new"}]})).status == 400
    assert (await shield.call("PATCH", path, {"keys": [_secret("h", 40)]})).status == 200
    assert (await shield.call("PATCH", path, {"keys": [KEY]})).status == 200
    assert (await shield.call("PATCH", path, {"keys": [shown]})).status == 400, "a key that was left out is gone"


async def test_no_secret_is_ever_shown(shield: Shield) -> None:
    secret = encode_base64url(b"s" * 32)
    id = await make_configuration(shield, credentials={"keys": [_secret("h")]})
    answers = [
        await shield.call("GET", PATH),
        await shield.call("GET", f"{PATH}/{id}"),
        await shield.call("PATCH", f"{PATH}/{id}", {"title": "t"}),
        await shield.call("PUT", f"{PATH}/{id}/credentials", {"keys": [_secret("h")]}),
        await shield.call("PUT", f"{PATH}/{id}/credentials", {"keys": [_secret("h"), _secret("h")]}),
    ]

    assert [answer.status for answer in answers] == [200, 200, 200, 200, 400]
    assert not any(secret in answer.content.decode() for answer in answers)


async def test_credentials_are_not_changed_with_the_rest(shield: Shield) -> None:
    id = await make_configuration(shield)

    answer = await shield.call("PATCH", f"{PATH}/{id}", {"credentials": {"keys": [KEY]}})

    assert answer.status == 400
    assert '"credentials"' in answer.message


async def test_a_configuration_that_a_rule_uses_stays(shield: Shield) -> None:
    id = await make_configuration(shield)
    rule: dict[str, JSON] = {
        "title": "t",
        "description": "",
        "action": "block",
        "enabled": False,
        "expression": f'is_jwt_valid("{id}")',
        "selector": {},
    }
    made = result_of(await shield.call("POST", "/token_validation/rules", rule))

    assert (await shield.call("DELETE", f"{PATH}/{id}")).status == 409
    await shield.call("DELETE", f"/token_validation/rules/{made['id']}")
    assert (await shield.call("DELETE", f"{PATH}/{id}")).status == 200


async def test_what_the_file_has_is_shown_and_not_changed(written: Shield) -> None:
    calls: list[tuple[str, str, JSON]] = [
        ("PATCH", "", {"title": "x"}),
        ("DELETE", "", None),
        ("PUT", "/credentials", {"keys": [KEY]}),
    ]

    assert (await written.call("GET", f"{PATH}/in-file")).status == 200
    for method, path, body in calls:
        answer = await written.call(method, f"{PATH}/in-file{path}", body)
        assert (answer.status, "edge.toml:9" in answer.message) == (409, True)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff", b"[" * 100_000, b'{"title": NaN}'])
async def test_a_body_that_is_not_an_object_is_refused(shield: Shield, body: bytes) -> None:
    assert (await shield.client.call("POST", f"/client/v4/zones/{shield.zone}{PATH}", body)).status == 400


async def test_a_body_of_more_than_a_megabyte_is_refused(shield: Shield) -> None:
    body = b" " * 1_048_577
    assert (await shield.client.call("POST", f"/client/v4/zones/{shield.zone}{PATH}", body)).status == 413


async def test_keys_have_the_date_of_their_import_which_a_new_title_leaves_as_it_is(
    shield: Shield, tmp_path: Path
) -> None:
    async def imported_at() -> list[int]:
        async with SQLiteState(tmp_path / "state", FakeClock()) as state:
            stored = await ZoneObjects(state.documents("api_shield"), ZONE).load()
        return [one.keys_imported_at for one in stored.configurations]

    id = await make_configuration(shield)
    assert await imported_at() == [1_800_000_000]
    shield.clock.advance(60)
    await shield.call("PATCH", f"{PATH}/{id}", {"title": "other"})
    assert await imported_at() == [1_800_000_000]

    await shield.call("PUT", f"{PATH}/{id}/credentials", {"keys": [KEY]})

    assert await imported_at() == [1_800_000_060]
