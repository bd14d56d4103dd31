"""An API that takes access tokens: records of the token's subject in KV, and an echo of the token's claims.

It verifies each JWT itself, whether it came through the split-token gateway or straight from the issuer.
"""

import json
import logging
import sys
import time
import uuid
from collections.abc import Awaitable, Mapping
from typing import Protocol, TypeVar
from urllib.parse import parse_qsl, urlsplit

import api_settings
import records
from api_settings import APISettings
from records import BadRecord
from verifier import access_token, claims, keys, remote, responses, variables
from verifier.access_token import VerifiedAccessToken
from verifier.claims import InvalidToken
from verifier.keys import KeySource
from verifier.responses import Fields, Problem, ProblemResponse
from verifier.variables import SettingError
from verifier.worker_bindings import KVStorage, request_method
from workers import Request, Response, WorkerEntrypoint, fetch

_log = logging.getLogger("protected_api")

_METADATA = "/.well-known/oauth-protected-resource"
_JSON = [("content-type", "application/json"), ("cache-control", "no-store")]


_T = TypeVar("_T")


class APIEnv(Protocol):
    @property
    def RECORDS(self) -> KVStorage: ...


class API:
    """One per isolate: the settings and the issuer's keys."""

    def __init__(self, settings: APISettings) -> None:
        """Raises SettingError if JWKS has no usable key."""
        self._settings = settings
        self._keys: KeySource | None = None
        if settings.jwks:
            try:
                self._keys = keys.FixedKeySource(keys.parse_key_set(settings.jwks, settings.expected.algorithms))
            except keys.BadKeySet as error:
                raise SettingError(f"JWKS: {error}") from None
        self._metadata_url = self._metadata_path = ""
        if settings.resource:
            # RFC 9728 section 3.1: between the host and the path of the resource.
            scheme, host, path, _, _ = urlsplit(settings.resource)
            self._metadata_path = _METADATA + path.rstrip("/")
            self._metadata_url = f"{scheme}://{host}{self._metadata_path}"

    async def fetch(self, request: Request, env: APIEnv) -> Response:
        settings, headers = self._settings, request.headers
        cors = responses.cors_fields(headers.get("origin"), settings.cors_origins)
        try:
            return await self._answer(request, env, cors)
        # A name beyond the `except` would be a cycle (error, traceback, frame), which waits for the garbage collector.
        except InvalidToken as error:
            return self._refuse(Problem(401, str(error), error="invalid_token"), cors)
        except BadRecord as error:
            return self._refuse(Problem(400, str(error)), cors)
        except Problem as problem:
            return self._refuse(problem, cors)
        except keys.KeysUnavailable as error:
            text = "The issuer's keys cannot be fetched now"
            return self._refuse(Problem(503, text, retry_after_seconds=error.retry_after_seconds), cors)

    def _refuse(self, problem: Problem, cors: Fields) -> Response:
        return _to_response(
            responses.problem_response(problem, realm=self._settings.realm, cors=cors, metadata_url=self._metadata_url)
        )

    async def _answer(self, request: Request, env: APIEnv, cors: Fields) -> Response:
        method, path = request_method(request), variables.path_of(request.url)
        if variables.is_ambiguous(path):
            raise Problem(400, "The path is ambiguous")
        if self._is_preflight(request):
            return _to_response(self._preflight(request.headers))
        if path == self._metadata_path and method in ("GET", "HEAD"):
            return _json(self._metadata(), [("access-control-allow-origin", "*")])
        token = await self._token(request, env)
        required = self._settings.scopes(method, path)
        if token.missing(required):
            raise Problem(
                403,
                "The access token does not have the scope that is needed",
                error="insufficient_scope",
                scope=" ".join(sorted(required)),
            )
        if path == "/claims":
            _require_method(method, "GET", "HEAD")
            return _json(token.claims, cors)
        if path == "/records":
            return await self._all(method, request, env, token, cors)
        if path.startswith("/records/"):
            return await self._one(method, path.removeprefix("/records/"), request, env, token, cors)
        raise Problem(404, "There is nothing at this path")

    async def _token(self, request: Request, env: APIEnv) -> VerifiedAccessToken:
        text = claims.parse_bearer_credentials(request.headers.get("authorization"))
        if text is None:
            raise Problem(401, "An access token is needed")
        if self._keys is None:
            # A binding lives as long as the isolate; on Cloudflare there is none before the first request.
            issuer = getattr(env, "ISSUER_WORKER", None)
            get: remote.FetchFunction = fetch if issuer is None else issuer.fetch
            self._keys = remote.remote_keys(self._settings.jwks_url, get, self._settings.expected.algorithms)
        return await access_token.verify(text, self._keys, self._settings.expected, now=time.time())

    async def _all(
        self, method: str, request: Request, env: APIEnv, token: VerifiedAccessToken, cors: Fields
    ) -> Response:
        _require_method(method, "GET", "HEAD", "POST")
        prefix = records.prefix(records.owner(token.issuer, token.subject))
        if method == "POST":
            name = uuid.uuid4().hex
            return await self._write(request, env, prefix, name, 201, [("location", f"/records/{name}"), *cors])
        limit, cursor = records.page(dict(parse_qsl(urlsplit(request.url).query)))
        options: dict[str, str | int] = {} if cursor is None else {"cursor": cursor}
        found = await _kv(env.RECORDS.list(prefix=prefix, limit=limit, **options))
        names = [key.name.removeprefix(prefix) for key in found.keys]
        return _json({"records": names, "cursor": None if found.list_complete else found.cursor}, cors)

    async def _one(
        self, method: str, name: str, request: Request, env: APIEnv, token: VerifiedAccessToken, cors: Fields
    ) -> Response:
        _require_method(method, "GET", "HEAD", "PUT", "DELETE")
        if not records.ID.fullmatch(name):
            raise Problem(404, "The record does not exist")
        prefix = records.prefix(records.owner(token.issuer, token.subject))
        if method == "PUT":
            return await self._write(request, env, prefix, name, 200, cors)
        text = await _kv(env.RECORDS.get(prefix + name))
        if text is None:
            raise Problem(404, "The record does not exist")
        if method == "DELETE":
            await _kv(env.RECORDS.delete(prefix + name))
            return Response(None, status=204, headers=cors)
        record = records.load(text)
        if record is None:
            _log.error("ALARM: a record in RECORDS is not one that this worker wrote")
            raise Problem(404, "The record does not exist")
        return _json({"id": name, **record}, cors)

    async def _write(
        self, request: Request, env: APIEnv, prefix: str, name: str, status: int, fields: Fields
    ) -> Response:
        kind = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem(415, "The body must be application/json")
        try:
            content = records.parse(await remote.read_bounded(request, records.MAX_RECORD_LENGTH))
        except OSError:
            raise Problem(413, f"The body is larger than {records.MAX_RECORD_LENGTH} bytes") from None
        now = int(time.time())
        await _kv(env.RECORDS.put(prefix + name, records.dump(content, now=now)))
        return _json({"id": name, "updated": now, "content": content}, fields, status)

    def _metadata(self) -> dict[str, object]:
        return {
            "resource": self._settings.resource,
            "authorization_servers": [self._settings.expected.issuer],
            "scopes_supported": self._settings.all_scopes,
            "bearer_methods_supported": ["header"],
        }

    def _is_preflight(self, request: Request) -> bool:
        method = request.headers.get("access-control-request-method")
        return bool(self._settings.cors_origins) and method is not None and request_method(request) == "OPTIONS"

    def _preflight(self, headers: Mapping[str, str]) -> ProblemResponse:
        return responses.preflight_response(
            headers.get("origin") or "",
            headers.get("access-control-request-method") or "",
            headers.get("access-control-request-headers"),
            realm=self._settings.realm,
            allowed=self._settings.cors_origins,
        )


def _require_method(method: str, *allowed: str) -> None:
    if method not in allowed:
        raise Problem(405, "This resource has no such method", fields=[("allow", ", ".join(allowed))])


async def _kv(work: Awaitable[_T]) -> _T:
    try:
        return await work
    except Exception as error:  # noqa: BLE001  however KV fails, the client can only try again
        _log.error("KV did not answer: %r", error)
        raise Problem(503, "The records cannot be reached now", retry_after_seconds=1) from None


def _json(value: object, fields: Fields, status: int = 200) -> Response:
    # ASCII only: a claim or a record cannot end a line or change the text direction.
    return Response(json.dumps(value) + "\n", status=status, headers=[*_JSON, *fields])


def _to_response(made: ProblemResponse) -> Response:
    return Response(made.text, status=made.status, headers=made.fields)


# A local edge knows the variables while it loads a script, so a wrong one is reported then, before any request. On
# Cloudflare a loaded script becomes a snapshot that must not contain anything of `env`.
if sys.platform != "emscripten":
    from workers import env

    if dir(env):
        try:
            API(api_settings.read(env))
        except SettingError as error:
            raise error.with_traceback(None) from None  # the text says everything


class Default(WorkerEntrypoint):
    env: APIEnv
    # One per isolate: it keeps the issuer's keys. The variables of an isolate never change.
    api: API | None = None

    async def fetch(self, request: Request) -> Response:
        if Default.api is None:
            Default.api = API(api_settings.read(self.env))
        return await Default.api.fetch(request, self.env)
