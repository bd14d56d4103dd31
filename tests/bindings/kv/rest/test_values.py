import base64
import hashlib
import json
import logging
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.config import JSON, Config, Namespace
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import KVStore
from tests.kv.clocks import FakeClock
from tests.wrangler_compat.api.client import NAMESPACE, NAMESPACES, TOKEN, VALUES, Client
from wrangler_compat.api import Authenticator, OneToken, V4Api

METADATA = f"{NAMESPACES}/{NAMESPACE}/metadata"


async def stored_keys(store: KVStore) -> list[str]:
    keys = await store.list_keys(NAMESPACE, prefix="", after="", limit=1000, now=0)
    return [key.name for key in keys]


# Clients differ in what they encode; each of these targets is one key.
@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("plain", "plain"),
        ("a%2Fb%20c", "a/b c"),  # wrangler, SDK 5.9
        ("a/b%20c", "a/b c"),  # SDK 3.1 and 4.3
        ("a%252Fb", "a%2Fb"),
        ("a+b", "a+b"),
        ("a%2Bb", "a+b"),
        ("IA5j0HndBW3yiQReK9q2eeg+icxduF5/KtLpZhBTxDA=", "IA5j0HndBW3yiQReK9q2eeg+icxduF5/KtLpZhBTxDA="),
        ("//p0H11e353t4zR+7J004M1LWP7fjivdkA74UV7aZF4=", "//p0H11e353t4zR+7J004M1LWP7fjivdkA74UV7aZF4="),
        ("a/../b", "a/../b"),
        ("a/%2e%2e/b", "a/../b"),
        ("../../x", "../../x"),
        ("a//b/", "a//b/"),
        ("line%0Abreak", "line\nbreak"),
        ("a#b", "a#b"),
        ("a%23b%3Fc", "a#b?c"),
        ("%00", "\0"),
        ("%F0%9F%98%80", "😀"),
        ("😀", "😀"),
        ("100%", "100%"),
        ("%zz", "%zz"),
        ("values/values/x", "values/values/x"),
        ("a\\b", "a\\b"),
    ],
)
async def test_a_key_is_the_rest_of_the_raw_target_decoded_once(
    client: Client, store: KVStore, target: str, key: str
) -> None:
    written = await client.call("PUT", f"{VALUES}/{target}", b"v")

    assert (written.status, written.result) == (200, None)
    assert await stored_keys(store) == [key]
    assert (await client.get(f"{VALUES}/{target}")).content == b"v"
    assert (await client.get(f"{METADATA}/{target}")).result is None
    assert (await client.call("DELETE", f"{VALUES}/{target}")).result is None
    assert await stored_keys(store) == []


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("", 400, 10042),
        (".", 400, 10042),
        ("%2e%2E", 400, 10042),
        ("%E9", 400, 10042),
        ("k" * 513, 414, 10030),
        ("%C3%A9" * 257, 414, 10030),
    ],
)
async def test_a_key_that_kv_refuses_has_its_code(client: Client, target: str, status: int, code: int) -> None:
    for method, body in (("PUT", b"v"), ("GET", None), ("DELETE", None)):
        answer = await client.call(method, f"{VALUES}/{target}", body)

        assert (answer.status, answer.code) == (status, code)


@given(signature=st.binary(min_size=1, max_size=64))
async def test_every_publisher_key_is_stored_as_it_was_sent(signature: bytes) -> None:
    """The publisher puts raw standard base64 into the path."""
    store, clock = MemoryStore(), FakeClock()
    await store.namespaces.register([Namespace(NAMESPACE, "tokens")])
    client = Client(V4Api(Config(), store, Authenticator([OneToken(TOKEN)], clock=clock), clock=clock))
    key = base64.b64encode(hashlib.sha256(signature).digest()).decode()

    answer = await client.call("PUT", f"{VALUES}/{key}?expiration={clock.now() + 300}", b"header.payload")

    assert answer.status == 200
    entry = await store.get(NAMESPACE, key, now=clock.now())
    assert entry is not None
    assert (entry.value, entry.expires_at) == (b"header.payload", clock.now() + 300)


async def test_a_value_is_answered_raw_with_its_expiry_in_a_header(client: Client, clock: FakeClock) -> None:
    await client.call("PUT", f"{VALUES}/k?expiration_ttl=60", b"\x00\xff")

    answer = await client.get(f"{VALUES}/k")

    assert (answer.status, answer.content) == (200, b"\x00\xff")
    assert answer.headers.get("content-type") == "application/octet-stream"
    assert answer.headers.get("expiration") == str(clock.now() + 60)
    clock.advance(60)
    assert (await client.get(f"{VALUES}/k")).code == 10009


async def test_a_value_without_expiry_has_no_such_header(client: Client) -> None:
    await client.call("PUT", f"{VALUES}/k", b"")

    answer = await client.get(f"{VALUES}/k")

    assert (answer.content, answer.headers.has("expiration")) == (b"", False)


@pytest.mark.parametrize("path", [VALUES, METADATA])
async def test_a_missing_key_is_10009(client: Client, path: str) -> None:
    answer = await client.get(f"{path}/missing")

    assert (answer.status, answer.code, answer.message) == (404, 10009, "get: 'key not found'")


@pytest.mark.parametrize(
    ("method", "rest", "text"),
    [
        ("GET", "values/k", "get: 'namespace not found'"),
        ("GET", "metadata/k", "get: 'namespace not found'"),
        ("PUT", "values/k", "put: 'namespace not found'"),
        ("DELETE", "values/k", "remove key: 'namespace not found'"),
        ("GET", "keys", "list keys: 'namespace not found'"),
        ("POST", "bulk/get", "bulk get keys: 'namespace not found'"),
    ],
)
async def test_an_unknown_namespace_is_10013(client: Client, method: str, rest: str, text: str) -> None:
    answer = await client.call(method, f"{NAMESPACES}/{'2' * 32}/{rest}", b"x" if method == "PUT" else None)

    assert (answer.status, answer.code, answer.message) == (404, 10013, text)


@pytest.mark.parametrize(
    ("query", "code", "text"),
    [
        ("expiration=1000059", 10033, "put: 'Invalid expiration of 1000059. Expiration times must be at least 60"),
        ("expiration=1", 10033, "put: 'Invalid expiration of 1. Please specify integer greater than the current"),
        ("expiration=soon", 10033, "put: 'Invalid expiration of soon."),
        ("expiration_ttl=59", 10034, "put: 'Invalid expiration_ttl of 59. Expiration TTL must be at least 60.'"),
        ("expiration_ttl=0", 10034, "put: 'Invalid expiration_ttl of 0."),
        ("expiration_ttl=60.5", 10034, "put: 'Invalid expiration_ttl of 60.5."),
        ("expiration=9999999999&expiration_ttl=59", 10034, "put: 'Invalid expiration_ttl of 59."),
    ],
)
async def test_an_expiry_that_is_too_near_or_no_number_is_refused(
    client: Client, store: KVStore, query: str, code: int, text: str
) -> None:
    answer = await client.call("PUT", f"{VALUES}/k?{query}", b"v")

    assert (answer.status, answer.code) == (400, code)
    assert answer.message.startswith(text)
    assert await stored_keys(store) == []


async def test_a_relaxed_api_moves_a_near_expiry_to_sixty_seconds_ahead(store: KVStore, clock: FakeClock) -> None:
    api = V4Api(Config(), store, Authenticator([OneToken(TOKEN)], clock=clock), clock=clock, relaxed_expiration=True)
    client = Client(api)
    now = clock.now()

    near = await client.call("PUT", f"{VALUES}/near?expiration={now + 5}", b"v")
    far = await client.call("PUT", f"{VALUES}/far?expiration={now + 500}", b"v")
    past = await client.call("PUT", f"{VALUES}/past?expiration={now}", b"v")

    assert (near.status, far.status, past.code) == (200, 200, 10033)
    keys = await store.list_keys(NAMESPACE, prefix="", after="", limit=10, now=now)
    assert {key.name: key.expires_at for key in keys} == {"near": now + 60, "far": now + 500}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain;charset=UTF-8",  # wrangler kv key put
        None,  # wrangler --path
        "application/octet-stream",  # curl --data-binary with a type, the publisher
        "application/x-www-form-urlencoded",  # curl -d
        "application/json",  # SDK 4.x, whose JSON text is the value
    ],
)
async def test_a_raw_body_is_the_value_whatever_its_type_says(client: Client, content_type: str | None) -> None:
    body = b'{"metadata":"{}","value":"a=b&c+d"}'

    await client.call("PUT", f"{VALUES}/k", body, headers={"content-type": content_type} if content_type else {})

    assert (await client.get(f"{VALUES}/k")).content == body
    assert (await client.get(f"{METADATA}/k")).result is None


async def test_the_json_bug_of_an_sdk_is_told_in_the_log_without_the_value(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {
        "content-type": "application/json",
        "x-stainless-lang": "python",
        "x-stainless-package-version": "4.3.1",
    }

    with caplog.at_level(logging.WARNING):
        await client.call("PUT", f"{VALUES}/k", b'{"value":"top-secret"}', headers=headers)

    assert "bug of the SDK (python 4.3.1" in caplog.text
    assert "top-secret" not in caplog.text


def form(*parts: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """A form whose parts are given as (Content-Disposition parameters and further lines, content)."""
    pieces = [
        b"--XX\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    ]
    return b"".join(pieces) + b"--XX--\r\n", {"content-type": "multipart/form-data; boundary=XX"}


@pytest.mark.parametrize(
    ("parts", "value", "metadata"),
    [
        ([('name="value"', b"v"), ('name="metadata"', b'{"a":[1,"\xc3\xa9"]}')], b"v", {"a": [1, "é"]}),  # wrangler
        ([('name="metadata"', b"{}"), ('name="value"', b"v")], b"v", {}),  # SDK 3.1.1
        (
            [('name="value"; filename="upload"\r\nContent-Type: application/octet-stream', b"\x00--XX\r\n-")],
            b"\x00--XX\r\n-",
            None,
        ),  # SDK 5.9
        ([('name="value"', b""), ('name="metadata"', b"")], b"", None),
        ([('name="value"', b"v"), ('name="metadata"', b"null")], b"v", None),
        ([('name="value"', b"v"), ('name="other"', b"x"), ("name=metadata", b'"m"')], b"v", "m"),
    ],
)
async def test_a_form_has_the_value_and_its_metadata(
    client: Client, parts: list[tuple[str, bytes]], value: bytes, metadata: JSON
) -> None:
    body, headers = form(*parts)

    answer = await client.call("PUT", f"{VALUES}/k", body, headers=headers)

    assert answer.result is None
    assert (await client.get(f"{VALUES}/k")).content == value
    assert (await client.get(f"{METADATA}/k")).result == metadata


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ([('name="metadata"', b"{}")], 400, 10012),
        ([('name="value"', b"a"), ('name="value"', b"b")], 400, 10012),
        ([('name="value"', b"a"), ('name="metadata"', b"{no json")], 400, 10047),
        ([('name="value"', b"a"), ('name="metadata"', b"NaN")], 400, 10047),
        ([('name="value"', b"a"), ('name="metadata"', json.dumps("m" * 1023).encode())], 400, 10047),
        ([('name="value"', b"a"), ('name="metadata"', b" " * 65_537)], 400, 10047),
    ],
)
async def test_a_form_that_is_not_right_is_refused_and_writes_nothing(
    client: Client, store: KVStore, parts: list[tuple[str, bytes]], status: int, code: int
) -> None:
    body, headers = form(*parts)

    answer = await client.call("PUT", f"{VALUES}/k", body, headers=headers)

    assert (answer.status, answer.code) == (status, code)
    assert await stored_keys(store) == []


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=YY"])
async def test_a_form_without_its_boundary_is_refused(client: Client, content_type: str) -> None:
    body, _ = form(('name="value"', b"v"))

    answer = await client.call("PUT", f"{VALUES}/k", body, headers={"content-type": content_type})

    assert (answer.status, answer.code) == (400, 10012)


async def test_a_value_of_25_mib_streams_in_and_one_byte_more_is_refused(client: Client, store: KVStore) -> None:
    size = 25 * 1024 * 1024

    async def pieces(total: int) -> AsyncIterator[bytes]:
        while total:
            yield bytes(min(total, 1024 * 1024))
            total -= min(total, 1024 * 1024)

    assert (await client.call("PUT", f"{VALUES}/k", pieces(size))).status == 200
    chunked = await client.call("PUT", f"{VALUES}/x", pieces(size + 1))
    announced = await client.call("PUT", f"{VALUES}/x", pieces(size + 1), length=size + 1)

    assert (chunked.status, chunked.code) == (413, 10024)
    assert (announced.status, announced.code) == (413, 10024)
    assert announced.message == f"put: 'Value length of {size + 1} exceeds limit of {size}.'"
    assert await stored_keys(store) == ["k"]
    assert len((await client.get(f"{VALUES}/k")).content) == size


async def test_a_form_with_25_mib_is_taken_and_one_byte_more_refused(client: Client) -> None:
    size = 25 * 1024 * 1024
    right, headers = form(('name="value"; filename="upload"', bytes(size)))
    wrong, _ = form(('name="value"; filename="upload"', bytes(size + 1)))

    assert (await client.call("PUT", f"{VALUES}/k", right, headers=headers)).status == 200
    refused = await client.call("PUT", f"{VALUES}/k", wrong, headers=headers)

    assert (refused.status, refused.code) == (413, 10024)


async def test_a_body_that_breaks_off_replaces_nothing(client: Client) -> None:
    await client.call("PUT", f"{VALUES}/k", b"old")

    async def broken() -> AsyncIterator[bytes]:
        yield bytes(100_000)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await client.call("PUT", f"{VALUES}/k", broken())

    assert (await client.get(f"{VALUES}/k")).content == b"old"


async def test_the_path_of_wranglers_local_explorer_reaches_the_same_keys(client: Client) -> None:
    explorer = f"/cdn-cgi/local/explorer/api/storage/kv/namespaces/{NAMESPACE}"
    await client.call("PUT", f"{explorer}/values/a/b", b"v")

    assert (await client.get(f"{VALUES}/a/b")).content == b"v"
    assert (await client.get(f"{explorer}/keys")).result == [{"name": "a/b"}]
