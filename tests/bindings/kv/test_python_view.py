"""What Python adds to the recorded cases of tests/conformance/test_kv.py."""

import logging
from collections.abc import AsyncIterator

import pytest

from edgeworker.bindings.kv.python_view import KVView
from edgeworker.errors import StoreError
from edgeworker.handler import Background, Context
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import LATER, Entry, Later
from edgeworker.messages import URL, Body, Request, Response
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.webapi.ffi import JsDict, JsException
from edgeworker.runtime.webapi.streams import ReadableStream
from edgeworker.trace import Trace
from tests.kv.clocks import FakeClock


class _WaitingStore(MemoryStore):
    def peek(self, namespace_id: str, key: str, *, now: int) -> bytes | Later | None:
        return LATER

    def peek_entry(self, namespace_id: str, key: str, *, now: int) -> Entry | Later | None:
        return LATER


class _BrokenStore(_WaitingStore):
    async def get(self, namespace_id: str, key: str, *, now: int) -> Entry | None:
        raise StoreError("/data/kv.sqlite: the KV database cannot grow, the disk is full.")


class _Nowhere:
    async def fetch(self, request: Request, /) -> Response:
        raise AssertionError("no subrequest was wanted")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(1_700_000_000)


@pytest.fixture
def kv(clock: FakeClock) -> KVView:
    return KVView(KVNamespace(MemoryStore(), "ns", clock), name="TOKENS")


async def test_results_have_items_and_attributes(kv: KVView) -> None:
    await kv.put("k", '{"a": {"b": 1}}', metadata={"m": {"n": 1}}, expirationTtl=60)

    data = await kv.get("k", type="json")
    found = await kv.getWithMetadata("k")
    listed = await kv.list()

    assert isinstance(data, JsDict)
    assert data.a == data["a"] == {"b": 1}
    assert isinstance(found, JsDict)
    assert (found.value, found["cacheStatus"]) == ('{"a": {"b": 1}}', None)
    assert isinstance(found.metadata, JsDict)
    assert found.metadata.m == {"n": 1}
    assert listed.list_complete is True
    assert [(key.name, key["expiration"], key.metadata) for key in listed.keys] == [
        ("k", 1_700_000_060, {"m": {"n": 1}})
    ]
    assert listed.keys is listed["keys"]


async def test_the_keys_of_a_list_are_also_the_dicts_method(kv: KVView) -> None:
    await kv.put("a", "")
    await kv.put("b", "")

    assert list((await kv.list()).keys()) == ["keys", "list_complete", "cacheStatus"]
    assert list((await kv.list(limit=1)).keys()) == ["keys", "list_complete", "cursor", "cacheStatus"]
    assert dict(await kv.list(prefix="x")) == {"keys": [], "list_complete": True, "cacheStatus": None}


async def test_an_array_buffer_is_bytes_like(kv: KVView) -> None:
    await kv.put("k", memoryview(b"abc"))

    found = await kv.get("k", "arrayBuffer")
    assert isinstance(found, memoryview)
    assert bytes(found) == b"abc"


@pytest.mark.parametrize("value", [b"abc", bytearray(b"abc"), memoryview(b"abc"), "abc"])
async def test_bytes_of_any_kind_can_be_put(kv: KVView, value: object) -> None:
    await kv.put("k", value)

    assert await kv.get("k") == "abc"


async def test_a_stream_can_be_put_once_and_read_again(kv: KVView) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    stream = ReadableStream.of_body(Body(pieces()), None)
    await kv.put("k", stream)
    with pytest.raises(JsException, match=r"^TypeError: This ReadableStream is currently locked"):
        await kv.put("k", stream)

    found = await kv.get("k", "stream")
    assert isinstance(found, ReadableStream)
    assert (await found.getReader().read()).value == b"ab"


async def test_a_stream_of_text_is_refused(kv: KVView) -> None:
    async def pieces() -> AsyncIterator[str]:
        yield "text"

    with pytest.raises(JsException, match=r"^TypeError: This ReadableStream did not return bytes\.$"):
        await kv.put("k", pieces())
    assert await kv.get("k") is None


async def test_an_exception_has_javascripts_name_and_text(kv: KVView) -> None:
    with pytest.raises(JsException) as caught:
        await kv.put("k", "v", {"expirationTtl": 59})

    text = "KV PUT failed: 400 Invalid expiration_ttl of 59. Expiration TTL must be at least 60."
    assert (caught.value.name, caught.value.message, str(caught.value)) == ("Error", text, f"Error: {text}")


async def test_a_second_object_of_options_is_ignored_as_javascript_does(kv: KVView) -> None:
    await kv.put("k", "v", {"metadata": 1}, expirationTtl=1)

    assert (await kv.list()).keys == [{"name": "k", "metadata": 1}]


async def test_options_of_none_are_absent(kv: KVView) -> None:
    await kv.put("k", "v", None)
    await kv.put("k", "v", expiration=None, expirationTtl=None, metadata=None)

    assert await kv.get("k", None) == "v"
    assert await kv.get("k", type=None, cacheTtl=None) == "v"
    assert (await kv.list(prefix=None, limit=None, cursor=None)).keys == [{"name": "k"}]


@pytest.mark.parametrize("cursor", ["garbage", "!!", "", 5])
async def test_a_cursor_that_no_list_gave_is_ignored(kv: KVView, cursor: object) -> None:
    await kv.put("k", "v")

    assert len((await kv.list(cursor=cursor)).keys) == 1


async def test_a_namespace_is_true_and_nothing_to_walk_over(kv: KVView) -> None:
    assert kv
    with pytest.raises(TypeError, match=r"^'KvNamespace' object is not iterable$"):
        list(kv)
    with pytest.raises(TypeError, match=r"^'KvNamespace' object has no len\(\)$"):
        len(kv)
    assert repr(kv) == "KvNamespace('TOKENS')"


async def test_storage_that_fails_is_logged_and_hides_its_path_from_the_script(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    kv = KVView(KVNamespace(_BrokenStore(), "ns", clock))

    with caplog.at_level(logging.ERROR), pytest.raises(JsException) as caught:
        await kv.get("k")

    assert str(caught.value) == "Error: KV GET failed: 503 Service Unavailable"
    assert "KV GET failed: /data/kv.sqlite: the KV database cannot grow" in caplog.text


async def test_each_call_is_a_step_of_the_trace(kv: KVView, clock: FakeClock) -> None:
    trace = Trace(started=clock.monotonic())
    request = Request("GET", URL.parse("http://example.com/"), trace=trace)
    context = Context(request, name="w", background=Background(), subrequest=_Nowhere())

    with current_invocation.enter_invocation(context):
        await kv.put("IA5j0HndSecretHash", "secret value")
        await kv.get("IA5j0HndSecretHash")
        await kv.get("k")
        await kv.get(["a", "b"])
        await kv.get(key="k")
        await kv.getWithMetadata("k")
        await kv.list(prefix="secret")
        with pytest.raises(JsException):
            await kv.delete("")

    assert [(step.kind, step.text) for step in trace.steps] == [
        ("kv", 'TOKENS.put "IA5j0Hnd…"'),
        ("kv", 'TOKENS.get "IA5j0Hnd…" hit'),
        ("kv", 'TOKENS.get "k" miss'),
        ("kv", "TOKENS.get (2 keys)"),
        ("kv", 'TOKENS.get "[object …" miss'),  # what JavaScript makes of an object
        ("kv", 'TOKENS.getWithMetadata "k"'),
        ("kv", "TOKENS.list"),
        ("kv", 'TOKENS.delete "" failed'),
    ]
    assert all(step.took is not None for step in trace.steps)


async def test_what_cannot_be_told_at_once_is_waited_for(clock: FakeClock) -> None:
    kv = KVView(KVNamespace(_WaitingStore(), "ns", clock))
    await kv.put("k", '"v"')

    assert [await kv.get("k"), await kv.get("k", "json"), await kv.get("missing")] == ['"v"', "v", None]


@pytest.mark.parametrize(
    ("key", "text"), [("", "TypeError: Key name cannot be empty."), ("k" * 513, "Error: KV GET failed: 414 ")]
)
async def test_a_key_alone_is_checked_like_any_other(kv: KVView, key: str, text: str) -> None:
    with pytest.raises(JsException) as caught:
        await kv.get(key)

    assert str(caught.value).startswith(text)
