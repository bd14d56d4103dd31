"""What happens to one request: its token is verified, its scope checked, and the resource answers. Waits for I/O."""

import json
import logging
import time
import uuid
from urllib.parse import parse_qsl, urlsplit

import records
from records import BadRecord
from settings import SettingError
from verifier import access_token, answers, claims, keys, remote, variables
from verifier.answers import Refused
from verifier.claims import InvalidToken
from workers import Response, fetch

_log = logging.getLogger("protected_api")

_METADATA = "/.well-known/oauth-protected-resource"
_JSON = [("content-type", "application/json"), ("cache-control", "no-store")]


class API:
    """One per isolate: the settings and the issuer's keys."""

    def __init__(self, settings):
        """Raises SettingError where JWKS holds no usable keys."""
        self._settings = settings
        self._keys = None
        if settings.jwks:
            try:
                self._keys = keys.FixedKeys(keys.parse(settings.jwks, settings.expected.algorithms))
            except keys.BadKeySet as error:
                raise SettingError(f"JWKS: {error}") from None
        self._metadata_url = self._metadata_path = ""
        if settings.resource:
            # RFC 9728 section 3.1: between the host and the path of the resource.
            scheme, host, path, _, _ = urlsplit(settings.resource)
            self._metadata_path = _METADATA + path.rstrip("/")
            self._metadata_url = f"{scheme}://{host}{self._metadata_path}"

    async def fetch(self, request, env):
        settings, headers = self._settings, request.headers
        cors = answers.cors_fields(headers.get("origin"), settings.cors_origins)
        try:
            return await self._answer(request, env, cors)
        except InvalidToken as error:
            refused = Refused(401, str(error), error="invalid_token")
        except BadRecord as error:
            refused = Refused(400, str(error))
        except Refused as error:
            refused = error
        except keys.KeysUnavailable as error:
            refused = Refused(
                503, "The issuer's keys cannot be had just now", retry_after_seconds=error.retry_after_seconds
            )
        return _sent(answers.refusal(refused, realm=settings.realm, cors=cors, metadata_url=self._metadata_url))

    async def _answer(self, request, env, cors):
        method, path = _method(request), variables.path_of(request.url)
        if variables.is_ambiguous(path):
            raise Refused(400, "The path can be read in two ways")
        if self._is_preflight(request):
            return _sent(self._preflight(request.headers))
        if path == self._metadata_path and method in ("GET", "HEAD"):
            return _json(self._metadata(), [("access-control-allow-origin", "*")])
        token = await self._token(request, env)
        required = self._settings.scopes(method, path)
        if token.missing(required):
            raise Refused(
                403,
                "The access token does not have the scope that is needed",
                error="insufficient_scope",
                scope=" ".join(sorted(required)),
            )
        if path == "/claims":
            _only(method, "GET", "HEAD")
            return _json(token.claims, cors)
        if path == "/records":
            return await self._all(method, request, env, token, cors)
        if path.startswith("/records/"):
            return await self._one(method, path.removeprefix("/records/"), request, env, token, cors)
        raise Refused(404, "There is nothing at this path")

    async def _token(self, request, env):
        text = claims.bearer(request.headers.get("authorization"))
        if text is None:
            raise Refused(401, "An access token is needed")
        if self._keys is None:
            # A binding lives as long as the isolate; on Cloudflare there is none before the first request.
            issuer = getattr(env, "ISSUER_WORKER", None)
            get = fetch if issuer is None else issuer.fetch
            self._keys = remote.keys_at(self._settings.jwks_url, get, self._settings.expected.algorithms)
        return await access_token.verify(text, self._keys, self._settings.expected, now=time.time())

    async def _all(self, method, request, env, token, cors):
        _only(method, "GET", "HEAD", "POST")
        prefix = records.prefix(records.owner(token.issuer, token.subject))
        if method == "POST":
            name = uuid.uuid4().hex
            return await self._write(request, env, prefix, name, 201, [("location", f"/records/{name}"), *cors])
        limit, cursor = records.page(dict(parse_qsl(urlsplit(request.url).query)))
        options = {} if cursor is None else {"cursor": cursor}
        found = await _kv(env.RECORDS.list(prefix=prefix, limit=limit, **options))
        names = [key.name.removeprefix(prefix) for key in found.keys]
        return _json({"records": names, "cursor": None if found.list_complete else found.cursor}, cors)

    async def _one(self, method, name, request, env, token, cors):
        _only(method, "GET", "HEAD", "PUT", "DELETE")
        if not records.ID.fullmatch(name):
            raise Refused(404, "There is no such record")
        prefix = records.prefix(records.owner(token.issuer, token.subject))
        if method == "PUT":
            return await self._write(request, env, prefix, name, 200, cors)
        text = await _kv(env.RECORDS.get(prefix + name))
        if text is None:
            raise Refused(404, "There is no such record")
        if method == "DELETE":
            await _kv(env.RECORDS.delete(prefix + name))
            return Response(None, status=204, headers=cors)
        record = records.load(text)
        if record is None:
            _log.error("ALARM: a record in RECORDS is not one that this worker wrote")
            raise Refused(404, "There is no such record")
        return _json({"id": name, **record}, cors)

    async def _write(self, request, env, prefix, name, status, fields):
        kind = (request.headers.get("content-type") or "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(415, "The body must be application/json")
        try:
            content = records.parse(await remote.bounded(request, records.MAX_RECORD_LENGTH))
        except OSError:
            raise Refused(413, f"The body is larger than {records.MAX_RECORD_LENGTH} bytes") from None
        now = int(time.time())
        await _kv(env.RECORDS.put(prefix + name, records.dump(content, now=now)))
        return _json({"id": name, "updated": now, "content": content}, fields, status)

    def _metadata(self):
        return {
            "resource": self._settings.resource,
            "authorization_servers": [self._settings.expected.issuer],
            "scopes_supported": self._settings.all_scopes,
            "bearer_methods_supported": ["header"],
        }

    def _is_preflight(self, request):
        asked = request.headers.get("access-control-request-method")
        return bool(self._settings.cors_origins) and asked is not None and _method(request) == "OPTIONS"

    def _preflight(self, headers):
        return answers.preflight(
            headers.get("origin"),
            headers.get("access-control-request-method"),
            headers.get("access-control-request-headers"),
            realm=self._settings.realm,
            allowed=self._settings.cors_origins,
        )


def _only(method, *allowed):
    if method not in allowed:
        raise Refused(405, "This resource has no such method", fields=[("allow", ", ".join(allowed))])


async def _kv(asked):
    try:
        return await asked
    except Exception as error:  # noqa: BLE001  whatever goes wrong with KV, the client can only come again
        _log.error("KV did not answer: %r", error)
        raise Refused(503, "The records cannot be had just now", retry_after_seconds=1) from None


def _method(request):
    try:
        return str(request.method)
    except KeyError:  # a method that Python's http.HTTPMethod does not know
        return ""


def _json(value, fields, status=200):
    # ASCII throughout: what is in a claim or a record cannot end a line or turn the writing direction.
    return Response(json.dumps(value) + "\n", status=status, headers=[*_JSON, *fields])


def _sent(answer):
    return Response(answer.text, status=answer.status, headers=answer.fields)
