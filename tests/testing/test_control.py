"""The control socket, over HTTP."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from yarl import URL

from edgeworker.config import JSON, Limits, Socket
from edgeworker.host.management import listen_management
from edgeworker.testing.control import Control
from edgeworker.testing.local import LocalEdge
from tests.testing.scripts import worker_config

BODY = """
async def fetch(self, request):
    if "/pass" in request.url:
        return await fetch(request)
    return Response(await self.env.TOKENS.get("k") or "nothing")

async def scheduled(self, event, env, ctx):
    await self.env.TOKENS.put("cron", event.cron)
"""
TOKEN = "control-token"


class Steering:
    """What a client does, over the control socket."""

    def __init__(self, control: Control, url: str, session: ClientSession) -> None:
        self.control = control
        self._url = url
        self._session = session

    async def __call__(
        self, method: str, path: str, content: JSON | bytes = None, *, token: str = TOKEN
    ) -> tuple[int, dict[str, JSON]]:
        status, text = await self.raw(method, path, content, token=token)
        answer: dict[str, JSON] = json.loads(text)
        return status, answer

    async def raw(
        self, method: str, path: str, content: JSON | bytes = None, *, token: str = TOKEN
    ) -> tuple[int, bytes]:
        data = content if isinstance(content, bytes) else None if content is None else json.dumps(content).encode()
        url = URL(self._url + path, encoded=True)
        async with self._session.request(method, url, data=data, headers={"Authorization": f"Bearer {token}"}) as reply:
            return reply.status, await reply.read()

    async def get(self, url: str) -> tuple[int, str]:
        reply = await self.control.edge.fetch(url)
        return reply.status, reply.text


@pytest.fixture
async def steer(tmp_path: Path) -> AsyncIterator[Steering]:
    config = worker_config(tmp_path, BODY, crons=["*/5 * * * *"])
    control = Control(lambda: LocalEdge(config), TOKEN, lambda edge: None)
    listener = await listen_management(control.application, Socket(port=0), limits=Limits())
    async with ClientSession() as session:
        yield Steering(control, listener.url, session)
    await listener.close(0)
    await control.edge.aclose()


@pytest.mark.parametrize("token", ["", "other", "é"])
async def test_without_the_token_nothing_can_be_done(steer: Steering, token: str) -> None:
    status, answer = await steer("GET", "/clock", token=token)

    assert (status, list(answer)) == (401, ["error"])


async def test_an_endpoint_that_is_not_there_lists_those_that_are(steer: Steering) -> None:
    for method, path in (("GET", "/"), ("PUT", "/clock"), ("GET", "/origin/rules")):
        status, answer = await steer(method, path)
        assert status == 404
        assert "POST /origin/rules" in str(answer["error"])


async def test_kv_is_seeded_read_and_emptied(steer: Steering) -> None:
    await steer("POST", "/kv/TOKENS", {"a": "1", "b/c": {"d": 2}})
    await steer("PUT", "/kv/TOKENS/k%20k?expiration_ttl=60", b"\xff")

    assert await steer("GET", "/kv/TOKENS") == (200, {"keys": ["a", "b/c", "k k"]})
    assert await steer.raw("GET", "/kv/TOKENS/b/c") == (200, b'{"d": 2}')
    assert await steer.raw("GET", "/kv/TOKENS/k%20k") == (200, b"\xff")
    await steer("DELETE", "/kv/TOKENS/a")
    assert (await steer("GET", "/kv/TOKENS/a"))[0] == 404
    await steer("DELETE", "/kv/TOKENS")
    assert await steer("GET", "/kv/TOKENS") == (200, {"keys": []})


async def test_the_clock_is_moved_and_what_became_due_has_run(steer: Steering) -> None:
    _, before = await steer("GET", "/clock")
    await steer("PUT", "/kv/TOKENS/k?expiration_ttl=60", b"v")
    assert await steer.get("/") == (200, "v")

    status, after = await steer("POST", "/clock", {"advance": 60.5})

    assert isinstance(before["now_ms"], int)
    assert (status, after["now_ms"]) == (200, before["now_ms"] + 60_500)
    assert await steer.get("/") == (200, "nothing")
    assert (await steer("POST", "/settle"))[1] == after


async def test_origins_answer_as_told_and_tell_what_they_saw(steer: Steering) -> None:
    rule: JSON = {"pattern": "/pass", "status": 201, "json": {"a": 1}, "headers": {"X-A": "b"}}
    assert (await steer("POST", "/origin/rules", rule))[0] == 201
    await steer("POST", "/origin/rules", {"pattern": "/pass", "fail": 521, "times": 1})

    assert (await steer.get("https://api.example.com/pass"))[0] == 521
    assert await steer.get("https://api.example.com/pass") == (201, '{"a": 1}')
    _, seen = await steer("GET", "/origin/requests")
    match seen["requests"]:
        case [{"method": "GET", "worker": "shop", "url": str(url), "body_base64": ""}, {}]:
            assert url == "https://api.example.com/pass"
        case other:
            raise AssertionError(other)

    await steer("DELETE", "/origin/rules")
    assert await steer("GET", "/origin/requests") == (200, {"requests": [], "refused": []})
    assert (await steer.get("https://api.example.com/pass"))[0] == 200


async def test_tokens_are_issued_good_and_bad(steer: Steering) -> None:
    _, good = await steer("POST", "/tokens", {"sub": "bob", "split": True, "ttl_seconds": 90, "algorithm": "ES256"})
    _, bad = await steer("POST", "/tokens", {"bad": "expired", "split": True})

    _, listed = await steer("GET", "/kv/TOKENS")
    assert isinstance(listed["keys"], list)
    assert sorted(map(str, listed["keys"])) == sorted([str(good["key"]), str(bad["key"])])
    assert str(good["jwt"]) == f"{good['published_value']}.{good['token']}"
    status, keys = await steer("POST", "/keys")
    assert (status, keys["jwks_uri"]) == (201, "https://issuer.example.net/.well-known/jwks.json")


async def test_a_cron_is_fired(steer: Steering) -> None:
    await steer("POST", "/cron", {"cron": "*/5 * * * *"})

    assert await steer.raw("GET", "/kv/TOKENS/cron") == (200, b"*/5 * * * *")


async def test_the_way_of_each_request_and_the_log_are_told(steer: Steering) -> None:
    await steer.get("https://api.example.com/pass")

    _, told = await steer("GET", "/trace")
    match told["requests"]:
        case [{"method": "GET", "url": "https://api.example.com/pass", "outcome": "200", "steps": list(steps)}]:
            assert {"zone", "route", "worker", "subrequest"} <= {str(s["kind"]) for s in steps if isinstance(s, dict)}
        case other:
            raise AssertionError(other)
    assert (await steer("GET", "/logs"))[0] == 200


async def test_a_reset_gives_a_fresh_edge(steer: Steering) -> None:
    await steer("PUT", "/kv/TOKENS/k", b"v")
    await steer("POST", "/clock", {"advance": 1000})
    old = steer.control.edge

    await steer("POST", "/reset")

    assert steer.control.edge is not old
    assert await steer("GET", "/kv/TOKENS") == (200, {"keys": []})
    assert await steer("GET", "/trace") == (200, {"requests": []})


@pytest.mark.parametrize(
    ("method", "path", "content", "text"),
    [
        ("POST", "/clock", {"advance": -1}, "is advanced, not set back"),
        ("POST", "/clock", {}, '"advance" is missing'),
        ("POST", "/clock", b"{", "the body is not JSON"),
        ("POST", "/clock", {"advance": 1, "by": 2}, "unknown: by"),
        ("POST", "/origin/rules", {"status": 200}, '"pattern" is missing'),
        ("POST", "/origin/rules", {"pattern": "x y"}, "is not a pattern of a rule"),
        ("POST", "/origin/rules", {"pattern": "/", "fail": 404}, "is not a way in which an origin can fail"),
        ("POST", "/kv/TOKENS", [1], "a JSON object is needed"),
        ("POST", "/kv/", {"a": "b"}, "name a KV binding"),
        ("PUT", "/kv/TOKENS", b"x", "name a key"),
        ("PUT", "/kv/TOKENS/k?expiration_ttl=1", b"x", "at least 60"),
        ("PUT", "/kv/TOKENS/k?expiration_ttl=soon", b"x", "a number of seconds is needed"),
        ("GET", "/kv/NOPE", None, 'no KV namespace "NOPE" is bound here'),
        ("POST", "/tokens", {"bad": "late"}, 'there is no bad token "late"'),
        ("POST", "/tokens", {"algorithm": "none"}, "it can be RS256 or ES256"),
        ("POST", "/cron", {"worker": "nobody"}, "nobody"),
    ],
)
async def test_a_mistake_is_answered_with_what_would_be_right(
    steer: Steering, method: str, path: str, content: JSON | bytes, text: str
) -> None:
    status, answer = await steer(method, path, content)

    assert status == 400
    assert text in str(answer["error"])
