import json

from edgeworker.rest.envelope import failure, success
from edgeworker.rest.errors import GeneralCode, KVCode
from tests.wrangler_compat.api.client import received


async def test_a_success_has_the_result_and_pages_only_where_there_are_some() -> None:
    plain, paged = await received(success(None)), await received(success([1], result_info={"cursor": ""}))

    assert plain.json == {"success": True, "errors": [], "messages": [], "result": None}
    assert paged.json == {"success": True, "errors": [], "messages": [], "result": [1], "result_info": {"cursor": ""}}
    assert (plain.status, plain.headers.get("content-type")) == (200, "application/json")


async def test_a_failure_has_its_errors_in_order_and_the_hint_beside_them() -> None:
    answer = await received(
        failure(404, [(GeneralCode.NOT_ROUTABLE, "a"), (GeneralCode.NO_ROUTE, "b")], hint="c", headers={"allow": "GET"})
    )

    assert (answer.status, answer.headers.get("allow")) == (404, "GET")
    assert answer.json == {
        "success": False,
        "errors": [{"code": 7003, "message": "a"}, {"code": 7000, "message": "b"}],
        "messages": [{"code": 7003, "message": "c"}],
        "result": None,
    }


async def test_text_without_a_utf8_form_is_answered_escaped() -> None:
    answer = await received(failure(400, [(KVCode.ILLEGAL_KEY, "\ud800 é")]))

    assert json.loads(answer.content)["errors"][0]["message"] == "\ud800 é"
