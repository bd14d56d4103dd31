"""https://developers.cloudflare.com/api/resources/api_gateway/subresources/operations/"""

import pytest

from edgeworker.config import JSON
from tests.wrangler_compat.api.api_shield.conftest import OTHER_ZONE, Shield

PATH = "/api_gateway/operations"


def _body(method: str, host: str, endpoint: str) -> dict[str, JSON]:
    return {"method": method, "host": host, "endpoint": endpoint}


def _keys(result: JSON) -> list[str]:
    assert isinstance(result, list)
    return [f"{item['method']} {item['host']}{item['endpoint']}" for item in result if isinstance(item, dict)]


async def test_operations_are_stored_normalised_and_once(shield: Shield) -> None:
    first = await shield.call("POST", PATH, [_body("GET", "API.test", "/u/{id}"), _body("GET", "api.test", "/u/{x}")])
    again = await shield.call("POST", PATH + "/item", _body("GET", "api.test.", "/a/../u/{y}"))

    assert _keys(first.result) == ["GET api.test/u/{var1}"] * 2
    assert isinstance(first.result, list)
    assert first.result[0] == first.result[1] == again.result
    assert (await shield.call("GET", PATH)).json["result_info"] == {
        "page": 1,
        "per_page": 20,
        "count": 1,
        "total_count": 1,
        "total_pages": 1,
    }


async def test_operations_are_listed_filtered_ordered_and_in_pages(shield: Shield) -> None:
    endpoints = [("GET", "b.test", "/x"), ("POST", "a.test", "/y"), ("DELETE", "a.test", "/x")]
    await shield.call("POST", PATH, [_body(*one) for one in endpoints])

    async def listed(query: str) -> list[str]:
        return _keys((await shield.call("GET", f"{PATH}?{query}")).result)

    assert await listed("") == ["DELETE a.test/x", "GET b.test/x", "POST a.test/y"]
    assert await listed("order=host") == ["DELETE a.test/x", "POST a.test/y", "GET b.test/x"]
    assert await listed("order=endpoint&direction=desc") == ["POST a.test/y", "GET b.test/x", "DELETE a.test/x"]
    assert await listed("host=a.test") == await listed("host[]=a.test") == ["DELETE a.test/x", "POST a.test/y"]
    assert await listed("method=GET&method=POST") == ["GET b.test/x", "POST a.test/y"]
    assert await listed("endpoint=y") == ["POST a.test/y"]
    assert await listed("per_page=2&page=2") == ["POST a.test/y"]
    assert (await shield.call("GET", f"{PATH}?order=size")).status == 400


async def test_operations_are_deleted_one_by_one_and_all(shield: Shield) -> None:
    made = await shield.call("POST", PATH, [_body("GET", "a.test", f"/{number}") for number in range(3)])
    assert isinstance(made.result, list)
    assert isinstance(made.result[0], dict)
    id = made.result[0]["operation_id"]

    assert (await shield.call("GET", f"{PATH}/{id}")).result == made.result[0]
    assert (await shield.call("DELETE", f"{PATH}/{id}")).status == 200
    assert (await shield.call("DELETE", f"{PATH}/{id}")).status == 404
    assert (await shield.call("DELETE", PATH)).status == 200
    assert (await shield.call("GET", PATH)).result == []


@pytest.mark.parametrize(
    "body",
    [
        None, {}, [1], [{}], [{"method": "GET", "host": "a.test"}], [_body("get", "a.test", "/x")],
        [_body("GET", "foo-{x}.test", "/x")], [_body("GET", "a.test", "/x{y}")], [_body("GET", "a.test", "x")],
        [{"method": 1, "host": [], "endpoint": {}}], [_body("GET", "a.test", "/ok"), _body("GET", "a.test", "")],
    ],
)  # fmt: skip
async def test_what_is_not_an_operation_is_refused_and_nothing_is_stored(shield: Shield, body: JSON) -> None:
    assert (await shield.call("POST", PATH, body)).status == 400
    assert (await shield.call("GET", PATH)).result == []


async def test_what_the_file_has_is_shown_and_not_changed(written: Shield) -> None:
    shown = (await written.call("GET", PATH)).result
    assert _keys(shown) == ["GET api.test/written"]

    refused = await written.call("DELETE", f"{PATH}/GET%20%2Fwritten")
    again = await written.call("POST", PATH + "/item", _body("GET", "api.test", "/written"))

    assert (refused.status, refused.code) == (409, 10409)
    assert "edge.toml:7" in refused.message
    assert [again.result] == shown


async def test_a_zone_without_api_shield_is_not_entitled(shield: Shield) -> None:
    other = Shield(shield.client, shield.clock, OTHER_ZONE)

    answer = await other.call("GET", PATH)

    assert (answer.status, answer.code) == (403, 10403)
    assert "[zones.api_shield]" in answer.message
    assert (await Shield(shield.client, shield.clock, "f" * 32).call("GET", PATH)).status == 404
