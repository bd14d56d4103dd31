"""scripts/split_token answers and passes on the same here as on Pyodide with Cloudflare's own SDK."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

import split_tokens
from edgeworker.config import JSON
from edgeworker.errors import OriginError, ScriptError, StoreError
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import LATER, Entry, Later
from edgeworker.messages import URL, Body, Headers, Request, Response
from tests.scripts.stage import Stage, set_up

Recorded = Mapping[str, JSON]

CASES: list[dict[str, JSON]] = json.loads((Path(__file__).parent / "cases" / "split_token.json").read_text())["cases"]


def _object(value: JSON) -> dict[str, JSON]:
    assert isinstance(value, dict)
    return value


def _text(value: JSON) -> str:
    assert isinstance(value, str)
    return value


class _DownStore(MemoryStore):
    def peek(self, namespace_id: str, key: str, *, now: int) -> bytes | Later | None:
        return LATER

    def peek_entry(self, namespace_id: str, key: str, *, now: int) -> Entry | Later | None:
        return LATER

    async def get(self, namespace_id: str, key: str, *, now: int) -> Entry | None:
        raise StoreError("it is down")


def _request(given: Recorded) -> Request:
    headers = {name: _text(value) for name, value in _object(given.get("headers", {})).items()}
    body = given.get("body")
    return Request(
        _text(given.get("method", "GET")),
        URL.parse(_text(given.get("url", "https://api.example.com/orders?x=1"))),
        Headers(headers),
        None if body is None else Body(_text(body).encode()),
    )


def _api_answer(given: Recorded) -> Response:
    api = given.get("api", {"status": 200, "headers": [], "body": "fine"})
    if api == "down":
        raise OriginError("it is down", status=521)
    answer = _object(api)
    fields = answer["headers"]
    assert isinstance(fields, list)
    headers = Headers([(_text(field[0]), _text(field[1])) for field in fields if isinstance(field, list)])
    status = answer["status"]
    assert isinstance(status, int)
    return Response(status, headers, None if "body" not in answer else _text(answer["body"]).encode())


async def _publish(stage: Stage, given: Recorded, variables: Recorded) -> None:
    for token, value in _object(given["entries"]).items():
        key = split_tokens.kv_key_of(
            token,
            hash_name=_text(variables.get("TOKEN_HASH", "sha256")).lower().replace("-", ""),
            encoding=_text(variables.get("KEY_ENCODING", "base64")),
            prefix=_text(variables.get("KEY_PREFIX", "")),
        )
        await stage.tokens.put(key, _text(value).encode())


async def _sent(stage: Stage) -> Recorded | None:
    if not stage.api.requests:
        return None
    (request,) = stage.api.requests
    return {
        "method": request.method,
        "url": request.url.href,
        "redirect": request.redirect,
        "headers": [list(field) for field in request.headers.entries()],
        "body": None if request.body is None else (await request.body.read()).decode(),
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
async def test_the_script_does_here_what_it_does_there(case: dict[str, JSON]) -> None:
    given, got = _object(case["given"]), _object(case["got"])
    variables = _object(given.get("vars", {}))
    if "raised" in got:
        with pytest.raises(ScriptError) as caught:
            async with set_up(variables):
                pytest.fail("it was loaded")
        assert _text(got["raised"]) in str(caught.value)
        return

    async with set_up(variables, store=_DownStore() if given.get("kv") == "down" else MemoryStore()) as stage:
        await _publish(stage, given, variables)
        stage.api.answer = lambda request: _api_answer(given)
        response = await stage.edge.workers["gateway"].run(_request(given), stage.api)

        assert response.status == got["status"]
        assert [list(field) for field in response.headers.entries()] == got["headers"]
        assert (b"" if response.body is None else await response.body.read()).decode() == got["body"]
        assert await _sent(stage) == case["sent"]
