"""Keeps the keys of an API Shield token configuration up to date with an identity provider's JWKS.

A cron trigger runs it. On any doubt (no answer, a redirect, too much, not JSON, no usable key, a private key) the
present keys stay, and the log says why. Its URL answers only holders of SYNC_TOKEN: GET shows the keys that would go to
API Shield, POST sends them.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import Sequence
from typing import Protocol

from provider_keys import DoubtfulKeySet, KeyMembers, read_key_set, same_keys, take_members, with_overlap
from sync_settings import Settings, WrongSettings, read_settings
from workers import FetchResponse, Request, Response, WorkerEntrypoint, fetch

_log = logging.getLogger("jwks_sync")

MAX_BYTES = 256 * 1024
TIMEOUT_SECONDS = 10
STATE_KEY = "jwks_sync"


class ScheduledController(Protocol):
    @property
    def scheduledTime(self) -> float: ...


class StateNamespace(Protocol):
    """What is used of a KV binding."""

    async def get(self, key: str, /) -> str | None: ...
    async def put(self, key: str, value: str, /) -> object: ...


class SyncFailure(Exception):
    """Why nothing was changed. The text holds no secret."""


class Default(WorkerEntrypoint):
    async def scheduled(self, controller: ScheduledController) -> None:
        try:
            _log.info("%s", await synchronise(self.env, int(controller.scheduledTime) // 1000))
        except (SyncFailure, WrongSettings) as failure:
            _log.warning("keys stay as they are: %s", failure)
            raise

    async def fetch(self, request: Request) -> Response:
        try:
            settings = read_settings(self.env)
        except WrongSettings as failure:
            _log.warning("jwks_sync is not set up: %s", failure)
            return Response("The worker is not set up; its log says why.\n", status=500)
        if not may_ask(request, settings):
            return Response("Send Authorization: Bearer SYNC_TOKEN.\n", status=401)
        try:
            if request.method == "GET":
                keys = await fetch_keys(settings)
                shown = json.dumps({"keys": [dict(key.members) for key in keys]})
                return Response(shown, headers={"Content-Type": "application/json"})
            if request.method == "POST":
                return Response(await synchronise(self.env, None) + "\n")
        except SyncFailure as failure:
            return Response(f"keys stay as they are: {failure}\n", status=502)
        return Response("Use GET or POST.\n", status=405, headers={"Allow": "GET, POST"})


def may_ask(request: Request, settings: Settings) -> bool:
    scheme, _, token = (request.headers.get("Authorization") or "").partition(" ")
    if not settings.sync_token or scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(token.strip().encode(), settings.sync_token.encode())


async def synchronise(env: object, now: int | None) -> str:
    """Brings the keys up to date; what was done, in words. Raises SyncFailure or WrongSettings."""
    settings = read_settings(env)
    published = await fetch_keys(settings)
    present = await current_keys(settings)
    wanted = await add_overlap(env, settings, published, present, now)
    if same_keys(wanted, present):
        return f"{len(present)} keys are up to date"
    body = json.dumps({"keys": [dict(key.members) for key in wanted]})
    stored = keys_of(await call_api(settings, settings.credentials_url, "PUT", body))
    if not same_keys(stored, wanted):
        missing = sorted({key.name for key in wanted} - {key.name for key in stored})
        _log.warning("API Shield dropped keys: %s", missing)
    return f"{len(stored)} keys were stored: {', '.join(kid for _, kid in (key.name for key in stored))}"


async def fetch_keys(settings: Settings) -> list[KeyMembers]:
    text = await read_text(settings.jwks_url, "the identity provider", headers={"Accept": "application/json"})
    try:
        return read_key_set(text)
    except DoubtfulKeySet as doubt:
        raise SyncFailure(f"the identity provider's key set is doubtful: {doubt}") from None


async def current_keys(settings: Settings) -> list[KeyMembers]:
    configuration = await call_api(settings, settings.credentials_url.removesuffix("/credentials"), "GET")
    credentials = configuration.get("credentials") if isinstance(configuration, dict) else None
    keys = credentials.get("keys") if isinstance(credentials, dict) else None
    if not isinstance(keys, list):
        raise SyncFailure("API Shield's configuration has no credentials")
    if any(isinstance(key, dict) and key.get("kty") == "oct" for key in keys):
        raise SyncFailure("the token configuration has secret keys (oct), which this worker cannot keep")
    return keys_of(credentials)


async def add_overlap(
    env: object, settings: Settings, published: Sequence[KeyMembers], present: Sequence[KeyMembers], now: int | None
) -> list[KeyMembers]:
    """The published keys, and those that went away less than `overlap_seconds` ago."""
    state: StateNamespace | None = getattr(env, "STATE", None)
    if settings.overlap_seconds == 0 or state is None or now is None:
        return list(published)
    names = {key.name for key in published}
    noted: object = json.loads(await state.get(STATE_KEY) or "{}")
    withdrawn = {"/".join(key.name): key for key in present if key.name not in names}
    since = {name: noted[name] if isinstance(noted, dict) and name in noted else now for name in withdrawn}
    kept = [key for name, key in withdrawn.items() if now - since[name] < settings.overlap_seconds]
    await state.put(STATE_KEY, json.dumps(since))
    return with_overlap(published, sorted(kept, key=lambda key: -since["/".join(key.name)]))


def keys_of(answer: object) -> list[KeyMembers]:
    keys = answer.get("keys") if isinstance(answer, dict) else None
    taken = [take_members(key) for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
    return [key for key in taken if key is not None]


async def call_api(settings: Settings, url: str, method: str, body: str | None = None) -> object:
    """The `result` of a call. Raises SyncFailure, with what the API said."""
    headers = {"Authorization": f"Bearer {settings.api_token}", "Content-Type": "application/json"}
    text = await read_text(url, "the API", method=method, headers=headers, body=body)
    try:
        answer: object = json.loads(text)
    except (ValueError, RecursionError):
        raise SyncFailure("the API's answer is not JSON") from None
    if not isinstance(answer, dict) or answer.get("success") is not True:
        errors = answer.get("errors") if isinstance(answer, dict) else None
        raise SyncFailure(f"the API refused {method}: {json.dumps(errors)[:500]}")
    messages: object = answer.get("messages")
    for message in messages if isinstance(messages, list) else []:
        _log.warning("API Shield says: %s", json.dumps(message)[:500])
    result: object = answer.get("result")
    return result


async def read_text(
    url: str, whose: str, *, headers: dict[str, str], method: str = "GET", body: str | None = None
) -> str:
    """What stands at `url`, of at most MAX_BYTES, within TIMEOUT_SECONDS; redirects are not followed."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            if body is None:
                response = await fetch(url, method=method, headers=headers, redirect="manual")
            else:
                response = await fetch(url, method=method, headers=headers, body=body, redirect="manual")
            if 300 <= response.status < 400:
                raise SyncFailure(f"{whose} redirects; write the address that it redirects to")
            if response.status >= 500 or (response.status >= 400 and whose != "the API"):
                raise SyncFailure(f"{whose} answered {response.status}")
            return await read_body(response, whose)
    except TimeoutError:
        raise SyncFailure(f"{whose} did not answer within {TIMEOUT_SECONDS} s") from None
    except SyncFailure:
        raise
    except Exception as error:
        raise SyncFailure(f"{whose} cannot be reached: {error}") from error


async def read_body(response: FetchResponse, whose: str) -> str:
    content = bytearray()
    if response.body is None:
        return ""
    reader = response.body.getReader()
    while not (piece := await reader.read()).done:
        convert = getattr(piece.value, "to_bytes", None)
        content += convert() if callable(convert) else b""
        if len(content) > MAX_BYTES:
            await reader.cancel()
            raise SyncFailure(f"{whose} sent more than {MAX_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SyncFailure(f"what {whose} sent is not UTF-8") from None
