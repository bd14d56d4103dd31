import logging

import pytest

from edgeworker.config import Config
from edgeworker.errors import StoreError
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import EntryStream
from edgeworker.messages import URL, Headers, Request
from edgeworker.rest.permissions import Principal
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
    "target",
    [
        # What wrangler 4.164 asks for: deploy; rollback and deployments list; tail; secret put.
        "services/w",
        "scripts/w/deployments",
        "scripts/w/tails",
        "scripts/w/secrets",
    ],
)
async def test_a_call_of_wrangler_about_workers_is_told_what_to_use_here(client: Client, target: str) -> None:
    answer = await client.get(f"/client/v4/accounts/{ACCOUNT}/workers/{target}")

    assert (answer.status, answer.code) == (404, 7003)
    assert b"edgeworker publish" in answer.content


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


@pytest.mark.parametrize(
    ("method", "target", "headers", "rule", "evidence"),
    [
        (
            "GET",
            f"{VALUES}/k-secret",
            {"authorization": "Bearer wrong-9f1c"},
            "who may call it",
            "token unknown, expired",
        ),
        ("GET", f"{VALUES}/k-secret", {}, "who may call it", "no token was shown"),
        ("GET", f"{VALUES}/k-secret", {"authorization": "Basic wrong-9f1c"}, "who may call it", "is not of the form"),
        ("GET", f"{VALUES}/k-secret", {"x-auth-key": "wrong-9f1c"}, "who may call it", "without X-Auth-Email"),
        ("GET", f"{VALUES}/k-secret", {"origin": "https://k-secret.test"}, "who may call it", "from a web page"),
        (
            "GET",
            "/client/v4/accounts/k-secret/storage/kv/namespaces",
            None,
            "who may call it",
            "account unknown: the one",
        ),
        ("GET", "/client/v4/k-secret", None, "", "code 7003: not routable"),
        ("POST", "/client/v4/user", None, "", "code 10405: method not allowed"),
        (
            "GET",
            f"{VALUES}/k-secret",
            None,
            "GET /accounts/{account}/storage/kv/namespaces/{namespace}/values/{key+}",
            "code 10009: key not found",
        ),
        (
            "PUT",
            f"{VALUES}/k-secret?expiration_ttl=k-secret",
            None,
            "PUT /accounts/{account}/storage/kv/namespaces/{namespace}/values/{key+}",
            "code 10034: invalid expiration ttl",
        ),
        ("GET", f"{VALUES}/%ff-k-secret", None, "", "code 10042: illegal key"),
    ],
)
async def test_a_refusal_tells_its_reason_without_a_value_of_the_call(
    client: Client, method: str, target: str, headers: dict[str, str] | None, rule: str, evidence: str
) -> None:
    fields = dict(client.headers if headers is None else headers)
    asked = Request(method, URL.parse(f"http://{client.host}/"), Headers(fields), raw_target=target)

    reason = (await client.api.fetch(asked)).refusal_reason

    assert reason is not None
    assert reason.rule == f"the REST API: {rule}".removesuffix(": ")
    assert evidence in " ".join(reason.evidence)
    assert [word for word in ("k-secret", "9f1c") if word in repr(reason)] == []


async def test_a_token_that_may_not_is_named_by_its_id(clock: FakeClock, client: Client) -> None:
    principal = Principal("token-id", "ada@example.org", ())

    class Knows:
        async def check(self, text: str, *, now: int) -> Principal | None:
            return principal

    api = V4Api(client.api.config, MemoryStore(), Authenticator([Knows()], clock=clock), clock=clock)
    fields = Headers({"authorization": "Bearer x"})

    asked = Request("GET", URL.parse(f"http://{client.host}/"), fields, raw_target=NAMESPACES)
    reason = (await api.fetch(asked)).refusal_reason

    assert reason is not None
    assert reason.evidence == ("the token token-id lacks the permission kv:read",)
