"""The `kv` commands on the API of a running edge, or on another server that speaks Cloudflare's v4 API."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote, urlencode

from edgeworker.cli.rest_client import ROOT, RestClient, envelope, refusal
from edgeworker.config import JSON, Namespace
from edgeworker.kv.namespace import KeyListPage, KeyValuePair, ListResultKey
from edgeworker.messages import Body, Response, multipart

# The same calls without an account in their path: wrangler's local explorer has them there, and so has an edge.
_WITHOUT_ACCOUNT: Final = "/cdn-cgi/local/explorer/api/storage/kv/namespaces"
_READS_AT_ONCE: Final = 8
_KEY_NOT_FOUND: Final = 10009


@dataclass(frozen=True, slots=True)
class _Answer:
    result: JSON
    cursor: str


class RemoteApi:
    def __init__(self, client: RestClient, *, account: str | None) -> None:
        self._client = client
        with_account = f"{ROOT}/accounts/{quote(account or '', safe='')}/storage/kv/namespaces"
        self._root = with_account if account else _WITHOUT_ACCOUNT

    @classmethod
    def open(cls, api_url: str, *, token: str, account: str | None) -> Self:
        """`api_url` with or without /client/v4 at its end. Raises ConfigError."""
        return cls(RestClient.open(api_url, token=token), account=account)

    async def namespaces(self) -> list[Namespace]:
        found: list[Namespace] = []
        page = 1
        while items := _array((await self._ask("GET", f"?page={page}&per_page=100")).result):
            found += [_namespace(item) for item in items]
            page += 1
        return found

    async def create(self, title: str) -> Namespace:
        return _namespace((await self._ask("POST", "", {"title": title})).result)

    async def rename(self, namespace_id: str, title: str) -> None:
        await self._ask("PUT", _path(namespace_id), {"title": title})

    async def remove(self, namespace_id: str) -> None:
        await self._ask("DELETE", _path(namespace_id))

    async def get(self, namespace_id: str, key: str) -> AsyncIterator[bytes] | None:
        response = await self._send("GET", _path(namespace_id, "values", key))
        if response.status == 200:
            return (response.body or Body(b"")).stream()
        refused = await refusal(response)
        if refused.code == _KEY_NOT_FOUND:
            return None
        raise refused

    async def values(self, namespace_id: str, keys: Sequence[str]) -> dict[str, bytes | None]:
        # Not the bulk call: it answers text, and a value may be any bytes.
        gate = asyncio.Semaphore(_READS_AT_ONCE)

        async def read(key: str) -> bytes | None:
            async with gate:
                pieces = await self.get(namespace_id, key)
                return None if pieces is None else b"".join([piece async for piece in pieces])

        names = list(dict.fromkeys(keys))
        return dict(zip(names, await asyncio.gather(*(read(key) for key in names)), strict=True))

    async def put(
        self,
        namespace_id: str,
        key: str,
        value: bytes | AsyncIterator[bytes],
        *,
        expiration: int | None,
        expiration_ttl: int | None,
        metadata: JSON,
    ) -> None:
        query = urlencode(_without_none({"expiration": expiration, "expiration_ttl": expiration_ttl}))
        path = _path(namespace_id, "values", key) + (f"?{query}" if query else "")
        if metadata is None:
            await self._ask("PUT", path, Body(value), kind="application/octet-stream")
            return
        whole = value if isinstance(value, bytes) else b"".join([piece async for piece in value])
        boundary, form = _form(whole, json.dumps(metadata).encode())
        await self._ask("PUT", path, Body(form), kind=f"multipart/form-data; boundary={boundary}")

    async def put_many(self, namespace_id: str, pairs: Sequence[KeyValuePair]) -> None:
        await self._ask("PUT", _path(namespace_id, "bulk"), [_pair(pair) for pair in pairs])

    async def delete_many(self, namespace_id: str, keys: Sequence[str]) -> None:
        await self._ask("POST", _path(namespace_id, "bulk/delete"), list(keys))

    async def page(self, namespace_id: str, *, prefix: str, cursor: str | None) -> KeyListPage:
        query = urlencode({"prefix": prefix, "cursor": cursor or ""})
        answer = await self._ask("GET", f"{_path(namespace_id, 'keys')}?{query}")
        return KeyListPage(tuple(_key(item) for item in _array(answer.result)), answer.cursor or None)

    async def close(self) -> None:
        await self._client.close()

    async def _ask(
        self, method: str, path: str, content: Body | JSON = None, *, kind: str = "application/json"
    ) -> _Answer:
        body = content if content is None or isinstance(content, Body) else Body(json.dumps(content).encode())
        response = await self._send(method, path, body, kind=kind)
        if response.status != 200:
            raise await refusal(response)
        answer = await envelope(response)
        info = answer.get("result_info")
        cursor = info.get("cursor") if isinstance(info, dict) else ""
        return _Answer(answer.get("result"), cursor if isinstance(cursor, str) else "")

    async def _send(self, method: str, path: str, body: Body | None = None, *, kind: str = "") -> Response:
        return await self._client.send(method, self._root + path, body, kind=kind)


def _path(namespace_id: str, rest: str = "", key: str | None = None) -> str:
    path = f"/{quote(namespace_id, safe='')}" + (f"/{rest}" if rest else "")
    return path if key is None else f"{path}/{quote(key, safe='')}"


def _array(found: JSON) -> list[JSON]:
    return found if isinstance(found, list) else []


def _namespace(found: JSON) -> Namespace:
    item = found if isinstance(found, dict) else {}
    return Namespace(str(item.get("id")), str(item.get("title")))


def _key(found: JSON) -> ListResultKey:
    item = found if isinstance(found, dict) else {}
    expires_at = item.get("expiration")
    return ListResultKey(
        str(item.get("name")), expires_at if isinstance(expires_at, int) else None, item.get("metadata")
    )


def _pair(pair: KeyValuePair) -> JSON:
    written: dict[str, JSON] = {"key": pair.key, "metadata": pair.metadata}
    written |= _without_none({"expiration": pair.expiration, "expiration_ttl": pair.expiration_ttl})
    if isinstance(pair.value, str):
        return {**written, "value": pair.value}
    return {**written, "value": base64.b64encode(pair.value).decode(), "base64": True}


def _without_none(items: Mapping[str, int | None]) -> dict[str, int]:
    return {name: value for name, value in items.items() if value is not None}


def _form(value: bytes, metadata: bytes) -> tuple[str, bytes]:
    boundary = multipart.make_boundary()
    parts = [
        multipart.write_part_head(boundary, {"Content-Disposition": multipart.form_data(name)}) + content + b"\r\n"
        for name, content in (("value", value), ("metadata", metadata))
    ]
    return boundary, b"".join([*parts, multipart.write_end(boundary)])
