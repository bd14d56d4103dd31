import logging

import pytest

from edgeworker.config import Config
from edgeworker.errors import StoreError
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import EntryStream
from edgeworker.messages import URL, Request
from tests.kv.clocks import FakeClock
from tests.wrangler_compat.api.client import ACCOUNT, NAMESPACES, TOKEN, VALUES, Client, received
from wrangler_compat.api import Authenticator, OneToken, V4Api


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/client/v4",
        "/client/v4/",
        "/client/v4/nothing",
        "/client/v5/user",
        f"/client/v4/accounts/{ACCOUNT}/workers/scripts",
        "/client/v4/accounts//storage/kv/namespaces",
        "/client/v4/../v4/user",
        "/CLIENT/V4/user",
        f"{VALUES}",
        "/cdn-cgi/local/explorer/api/storage/kv/namespacesx",
    ],
)
async def test_a_path_that_is_not_in_the_table_could_not_be_routed(client: Client, target: str) -> None:
    answer = await client.get(target)

    assert (answer.status, answer.code) == (404, 7003)
    assert answer.message.startswith("Could not route to /")


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("POST", "/client/v4/user", "GET"),
        ("PATCH", NAMESPACES, "GET, POST"),
        ("POST", f"{VALUES}/k", "GET, PUT, DELETE"),
        ("HEAD", f"{VALUES}/k", "GET, PUT, DELETE"),
    ],
)
async def test_a_wrong_method_is_10405_and_names_the_right_ones(
    client: Client, method: str, target: str, allowed: str
) -> None:
    answer = await client.call(method, target)

    assert (answer.status, answer.code, answer.headers.get("allow")) == (405, 10405, allowed)


@pytest.mark.parametrize("target", ["/client/v4/nothing", "/client/v4/user", f"{VALUES}/k"])
async def test_without_a_token_nothing_is_told(client: Client, target: str) -> None:
    answer = await Client(client.api, {}).call("POST", target)

    assert (answer.status, answer.code) == (401, 10000)


async def test_a_slash_after_the_path_is_let_pass(client: Client) -> None:
    assert (await client.get(f"{NAMESPACES}/")).status == 200


async def test_an_absolute_target_is_read_like_its_path(client: Client) -> None:
    url = URL.parse("http://127.0.0.1/client/v4/user")
    headers = {"authorization": f"Bearer {TOKEN}"}

    for raw in ("http://127.0.0.1/client/v4/user", None):
        request = Request("GET", url, raw_target=raw)
        for name, value in headers.items():
            request.headers.set(name, value)
        assert (await received(await client.api.fetch(request))).status == 200


async def test_a_store_that_fails_is_503_and_its_text_stays_in_the_log(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(MemoryStore):
        async def stream(self, namespace_id: str, key: str, *, now: int) -> EntryStream | None:
            raise StoreError("/data/kv.sqlite: disk I/O error")

    store = Broken()
    client = Client(V4Api(Config(), store, Authenticator([OneToken(TOKEN)], clock=clock), clock=clock))
    made = (await client.call("POST", NAMESPACES, {"title": "t"})).result
    assert isinstance(made, dict)

    with caplog.at_level(logging.ERROR):
        answer = await client.get(f"{NAMESPACES}/{made['id']}/values/k")

    assert (answer.status, answer.code, answer.message) == (503, 10001, "service unavailable")
    assert "disk I/O error" in caplog.text
    assert b"/data" not in answer.content
