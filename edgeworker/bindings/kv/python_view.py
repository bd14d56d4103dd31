"""`env.NS` as a Python script sees it: Cloudflare's camelCase calls, JavaScript's coercions and exceptions.

Sources: https://developers.cloudflare.com/kv/api/ and, for what Python makes of it, workers/rpc.py of
workers-runtime-sdk 1.9.5; the behaviour is recorded in tests/conformance/cases/kv.json.
"""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from typing import Final, NoReturn, TypeVar

from edgeworker.bindings.kv import python_arguments as arguments
from edgeworker.errors import KVError, KVTypeError, StoreError
from edgeworker.kv import rules
from edgeworker.kv.namespace import FoundStream, FoundValue, KVNamespace, ListResultKey, Value
from edgeworker.kv.store import LATER
from edgeworker.messages import Body
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.contract.storage_failure import SEEN_BY_SCRIPTS, report_storage_failure
from edgeworker.runtime.webapi import json_text
from edgeworker.runtime.webapi.ffi import JsDict, JsException, JsNull
from edgeworker.runtime.webapi.plain_objects import as_js
from edgeworker.runtime.webapi.plain_proxy import fields_of
from edgeworker.runtime.webapi.streams import ReadableStream

T = TypeVar("T")

_GET_OPTIONS: Final = ("type", "cacheTtl")
_PUT_OPTIONS: Final = ("expiration", "expirationTtl", "metadata")
_LIST_OPTIONS: Final = ("prefix", "limit", "cursor")

_UNKNOWN_TYPE: Final = 'Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".'
_WRONG_VALUE: Final = "KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values."
_NOT_JSON: Final = "At least one of the requested keys corresponds to a non-json value"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"  # a bulk answer is decoded without it, a single one with it
_SHOWN_CHARACTERS: Final = 8  # of a key, in a trace: a key may be the hash of a token


class KVView:
    """What KV and JavaScript refuse is raised as JsException, whose `str()` is JavaScript's.

    Storage that fails is logged with its reason, and the script sees "KV GET failed: 503 Service Unavailable".
    """

    def __init__(self, namespace: KVNamespace, *, name: str = "") -> None:
        """`name` is the binding's, for traces."""
        self._namespace = namespace
        self._name = name or namespace.id

    async def get(self, *args: object, **keywords: object) -> object:
        """`get(key)`, `get(key, "json")`, `get(key, type="json", cacheTtl=60)`, `get([key, ...])`.

        Text (the default) is a str, JSON is what it holds, "arrayBuffer" a memoryview, "stream" a ReadableStream; a
        missing key is None. Many keys give a dict.
        """
        if len(args) == 1 and not keywords and type(args[0]) is str and current_invocation.trace() is None:
            # What nearly every call is, and what most requests do: no coroutine and no list of arguments for it.
            try:
                content = self._namespace.peek(args[0])
            except KVError as error:
                raise _exception("GET", error) from error
            if content is not LATER:
                return None if content is None else content.decode("utf-8", "replace")
        given = arguments.positional(args, keywords)
        return await self._record_call("get", given, self._get(given))

    async def getWithMetadata(self, *args: object, **keywords: object) -> object:
        """Like `get`, answering objects with `value`, `metadata` and `cacheStatus` (None: nothing is cached here)."""
        given = arguments.positional(args, keywords)
        return await self._record_call("getWithMetadata", given, self._get_with_metadata(given))

    async def put(self, *args: object, **keywords: object) -> None:
        """`put(key, value, expiration=..., expirationTtl=..., metadata=...)`, or with the options as a dict."""
        given = arguments.positional(args, keywords)
        await self._record_call("put", given, self._put(given))

    async def delete(self, *args: object, **keywords: object) -> None:
        given = arguments.positional(args, keywords)
        await self._record_call("delete", given, self._delete(given))

    async def list(self, *args: object, **keywords: object) -> "KVNamespaceListResult":
        """`list(prefix=..., limit=..., cursor=...)`, or with the options as a dict."""
        return await self._record_call("list", (), self._list(arguments.positional(args, keywords)))

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> NoReturn:
        raise TypeError("'KvNamespace' object is not iterable")

    def __len__(self) -> NoReturn:
        raise TypeError("'KvNamespace' object has no len()")

    def __repr__(self) -> str:
        return f"KvNamespace({self._name!r})"

    async def _get(self, given: Sequence[object]) -> object:
        key = fields_of(arguments.require_argument(given, 0, function="get", kind="string or Array"))
        kind, cache_ttl = _get_options(given, "get")
        if isinstance(key, list | tuple):
            found = await self._get_many(key, kind, cache_ttl)
            return {name: None if item is None else _bulk_value(item, kind) for name, item in found.items()}
        try:
            if kind == "stream":
                stream = await self._namespace.get_stream(arguments.string(key), cache_ttl=cache_ttl)
                return None if stream is None else _stream(stream)
            name = arguments.string(key)
            content = self._namespace.peek(name, cache_ttl=cache_ttl)
            if content is LATER:
                content = await self._namespace.get(name, cache_ttl=cache_ttl)
        except (KVError, StoreError) as error:
            raise _exception("GET", error) from error
        return None if content is None else _value(content, kind)

    async def _get_with_metadata(self, given: Sequence[object]) -> object:
        key = fields_of(arguments.require_argument(given, 0, function="getWithMetadata", kind="Array or string"))
        kind, cache_ttl = _get_options(given, "getWithMetadata")
        if isinstance(key, list | tuple):
            many = await self._get_many(key, kind, cache_ttl)
            return {
                name: None if item is None else JsDict(value=_bulk_value(item, kind), metadata=as_js(item.metadata))
                for name, item in many.items()
            }
        value: object = None
        metadata: object = None
        try:
            if kind == "stream":
                stream = await self._namespace.get_stream(arguments.string(key), cache_ttl=cache_ttl)
                if stream is not None:
                    value, metadata = _stream(stream), as_js(stream.metadata)
            else:
                found = await self._namespace.get_with_metadata(arguments.string(key), cache_ttl=cache_ttl)
                if found is not None:
                    value, metadata = _value(found.value, kind), as_js(found.metadata)
        except (KVError, StoreError) as error:
            raise _exception("GET", error) from error
        return JsDict(value=value, metadata=metadata, cacheStatus=None)

    async def _get_many(
        self, keys: Sequence[object], kind: str, cache_ttl: int | None
    ) -> Mapping[str, FoundValue | None]:
        if kind not in ("text", "json"):
            text = f'KV GET_BULK failed: 400 "{kind}" is not a valid type. Use "json" or "text"'
            raise JsException("Error", text)
        try:
            return await self._namespace.get_many([arguments.string(key) for key in keys], cache_ttl=cache_ttl)
        except (KVError, StoreError) as error:
            raise _exception("GET_BULK", error) from error

    async def _put(self, given: Sequence[object]) -> None:
        key = arguments.require_argument(given, 0, function="put", kind="string")
        value = arguments.require_argument(given, 1, function="put", kind="string or JsObject")
        options = arguments.options(given, 2, function="put", kind="PutOptions", names=_PUT_OPTIONS)
        expiration, expiration_ttl = options.get("expiration"), options.get("expirationTtl")
        try:
            await self._namespace.put(
                rules.check_key(arguments.string(key)),  # its mistakes come before those of the value
                _content(value),
                expiration=None if expiration is None else arguments.integer(expiration),
                expiration_ttl=None if expiration_ttl is None else arguments.integer(expiration_ttl),
                metadata=arguments.metadata(options.get("metadata")),
            )
        except (KVError, StoreError) as error:
            raise _exception("PUT", error) from error

    async def _delete(self, given: Sequence[object]) -> None:
        key = arguments.require_argument(given, 0, function="delete", kind="string")
        try:
            await self._namespace.delete(arguments.string(key))
        except (KVError, StoreError) as error:
            raise _exception("DELETE", error) from error

    async def _list(self, given: Sequence[object]) -> "KVNamespaceListResult":
        options = arguments.options(given, 0, function="list", kind="ListOptions", names=_LIST_OPTIONS)
        limit = arguments.integer(options.get("limit", 0))
        try:
            page = await self._namespace.list(
                prefix=arguments.string(options.get("prefix", "")),
                limit=limit if limit > 0 else None,
                cursor=rules.cursor_of_script(arguments.string(options.get("cursor", ""))),
            )
        except (KVError, StoreError) as error:
            raise _exception("GET", error) from error
        members = ["keys", "list_complete", *([] if page.cursor is None else ["cursor"]), "cacheStatus"]
        result = KVNamespaceListResult(
            keys=ListedKeys(map(_make_listed_key, page.keys), members), list_complete=page.cursor is None
        )
        if page.cursor is not None:
            result["cursor"] = page.cursor
        result["cacheStatus"] = None
        return result

    async def _record_call(self, call: str, given: Sequence[object], work: Awaitable[T]) -> T:
        trace = current_invocation.trace()
        if trace is None:
            return await work
        begun = self._namespace.clock.monotonic()
        outcome = "failed"
        try:
            result = await work
            outcome = ("miss" if result is None else "hit") if call == "get" and not isinstance(given[0], list) else ""
            return result
        finally:
            text = " ".join(filter(None, (f"{self._name}.{call}", _describe_key(given), outcome)))
            trace.add("kv", text, now=self._namespace.clock.monotonic(), since=begun)


class KVNamespaceListResult(JsDict):
    """`result.keys` is the list, as in JavaScript, although dicts have a method of that name."""

    @property
    def keys(self) -> "ListedKeys":  # type: ignore[override]  # JavaScript's name wins; see ListedKeys
        listed = self["keys"]
        assert isinstance(listed, ListedKeys)
        return listed


class ListedKeys(list[JsDict]):
    """Can be called as well: under newer SDKs of Cloudflare `result.keys` is the dict's own method."""

    def __init__(self, keys: Iterable[JsDict], members: Sequence[str]) -> None:
        super().__init__(keys)
        self._members = members

    def __call__(self) -> Sequence[str]:
        return self._members


def _get_options(given: Sequence[object], function: str) -> tuple[str, int | None]:
    """The type, and the cacheTtl in seconds; the second argument is either the type or an object with both."""
    second = fields_of(arguments.at(given, 1))
    if second is None:
        return "text", None
    if not isinstance(second, Mapping):
        return arguments.string(second), None
    options = arguments.options(given, 1, function=function, kind="GetOptions", names=_GET_OPTIONS)
    cache_ttl = options.get("cacheTtl")
    return (
        arguments.string(options.get("type", "text")),
        None if cache_ttl is None else arguments.integer(cache_ttl),
    )


def _stream(found: FoundStream) -> ReadableStream:
    return ReadableStream.of_body(Body(found.pieces, length=found.size), None)


def _value(content: bytes, kind: str) -> object:
    match kind:
        case "text":
            return content.decode("utf-8", "replace")
        case "json":
            return json_text.parse(content.decode("utf-8", "replace"))
        case "arrayBuffer":
            return memoryview(content)
        case _:
            raise JsException("TypeError", _UNKNOWN_TYPE)


def _bulk_value(found: FoundValue, kind: str) -> object:
    text = found.value.removeprefix(_BYTE_ORDER_MARK).decode("utf-8", "replace")
    if kind == "text":
        return text
    try:
        return json_text.parse(text)
    except JsException as error:
        raise JsException("Error", f"KV GET_BULK failed: 400 {_NOT_JSON}") from error


def _content(value: object) -> Value:
    match value:
        case bytes() | bytearray() | memoryview():
            return value
        case None | JsNull() | str() | bool() | int() | float():
            return arguments.string(value)
        case AsyncIterable():
            return _pieces(value)
        case _:
            raise JsException("TypeError", _WRONG_VALUE)


async def _pieces(chunks: AsyncIterable[object]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        if not isinstance(chunk, bytes | bytearray | memoryview):
            raise JsException("TypeError", "This ReadableStream did not return bytes.")
        yield bytes(chunk)


def _make_listed_key(key: ListResultKey) -> JsDict:
    listed = JsDict(name=key.name)
    if key.expires_at is not None:
        listed["expiration"] = key.expires_at
    if key.metadata is not None:
        listed["metadata"] = as_js(key.metadata)
    return listed


def _exception(verb: str, error: KVError | StoreError) -> JsException:
    match error:
        case KVTypeError():
            return JsException("TypeError", str(error))
        case KVError():
            return JsException("Error", f"KV {verb} failed: {error.status} {error}")
        case _:
            report_storage_failure(f"KV {verb}", error, current_invocation.current_or_none())
            return JsException("Error", f"KV {verb} {SEEN_BY_SCRIPTS}")


def _describe_key(given: Sequence[object]) -> str:
    """The call's key, shortened."""
    if not given:
        return ""
    if isinstance(given[0], list | tuple):
        return f"({len(given[0])} keys)"
    key = arguments.string(given[0])
    return f'"{key}"' if len(key) <= _SHOWN_CHARACTERS else f'"{key[:_SHOWN_CHARACTERS]}…"'
