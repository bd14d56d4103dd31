"""Handles one request: refuses it, answers it, or forwards it with the joined token. The only module that does I/O.

The order: preflight and public paths, the token's shape, one hash, one KV read, the token's times, the issuer's
signature if a JWK set is configured, and one fetch. Anything uncertain is refused.
"""

import logging
import sys
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Protocol

import gateway_settings
import split_tokens
from forwarding import HeaderFields, RequestFields, response_fields
from gateway_settings import GatewaySettings
from miss_limiter import MissLimiter
from split_tokens import BadEntry
from verifier import claims, responses, variables
from verifier.claims import Claims, InvalidToken, MalformedToken
from verifier.responses import Fields, Problem, ProblemResponse
from verifier.variables import PathPatterns, SettingError
from verifier.worker_bindings import KVReader, request_method
from workers import Request, Response, WorkerEntrypoint, fetch

_log = logging.getLogger("split_token")

# Together at most some 30 MB of an isolate's 128, and usually one or two.
_REMEMBERED_VALUES: Final = 2048
_REMEMBERED_LENGTH: Final = 4096

# Replaces a challenge of the API that quotes the joined token.
_REFUSED_BY_API = Problem(401, "The API refused the access token", error="invalid_token")


class GatewayEnv(Protocol):
    @property
    def TOKENS(self) -> KVReader: ...


class Gateway:
    """One per isolate: the settings, and what is remembered between requests (misses, claims, the issuer's keys)."""

    def __init__(self, settings: GatewaySettings) -> None:
        """Raises SettingError if JWKS has no usable key."""
        self._settings = settings
        self._challenge = responses.bearer_challenge(_REFUSED_BY_API, realm=settings.realm)
        self._misses = MissLimiter(settings.misses_per_minute)
        self._request_fields = RequestFields(settings.strip_headers)
        self._signatures = _SignatureCheck(settings) if settings.verifies else None
        # A KV value is read for each request, and decoded once: the same text has the same claims.
        self._remembered_claims = lru_cache(maxsize=_REMEMBERED_VALUES)(split_tokens.claims_of)

    async def fetch(self, request: Request, namespace: KVReader) -> Response:
        headers = request.headers
        try:
            if self._settings.cors_origins and self._is_preflight(request, headers):
                return _to_response(self._preflight(headers))
            if self._settings.public_paths and self._matches(self._settings.public_paths, request):
                return await self._forward(request, headers, None)
            whole = await self._whole_token(request, headers, namespace)
            return await self._forward(request, headers, whole)
        # A name beyond the `except` would be a cycle (error, traceback, frame), which waits for the garbage collector.
        except InvalidToken as invalid:
            return self._refuse(Problem(401, str(invalid), error="invalid_token"), headers)
        except Problem as problem:
            return self._refuse(problem, headers)

    def _refuse(self, problem: Problem, headers: HeaderFields) -> Response:
        return _to_response(
            responses.problem_response(problem, realm=self._settings.realm, cors=self._cors_fields(headers))
        )

    async def _whole_token(self, request: Request, headers: HeaderFields, namespace: KVReader) -> str:
        """The JWT that goes to the API. Raises InvalidToken or Problem."""
        settings = self._settings
        token = claims.parse_bearer_credentials(headers.get("authorization"))
        if token is None:
            raise Problem(401, "An access token is needed")
        if split_tokens.is_whole_jwt(token):
            whole, payload = token, self._claims_of_whole_jwt(request, token)
        else:
            value, payload = await self._read_entry(token, headers.get("cf-connecting-ip"), namespace)
            whole = f"{value}.{token}"
        claims.check_times(payload, now=time.time(), leeway=settings.clock_leeway_seconds)
        if settings.issuer:
            claims.check_issuer(payload, settings.issuer)
        if settings.audience:
            claims.check_audience(payload, settings.audience)
        if self._signatures is not None or settings.token_types:
            header = _header_of(whole)
            claims.check_header(header, settings.token_types)
            if self._signatures is not None:
                await self._signatures.check(whole, header, is_joined=whole is not token)
        if settings.scope and claims.missing_scopes(payload, settings.scope):
            raise Problem(
                403,
                "The access token does not have the scope that is needed",
                error="insufficient_scope",
                scope=" ".join(sorted(settings.scope)),
            )
        return whole

    def _claims_of_whole_jwt(self, request: Request, token: str) -> Claims:
        if not self._matches(self._settings.jwt_paths, request):
            raise InvalidToken("A whole JWT is not accepted here")
        try:
            return split_tokens.claims_of(token.rpartition(".")[0])
        except BadEntry:
            raise InvalidToken("The access token is malformed") from None

    async def _read_entry(self, token: str, client: str | None, namespace: KVReader) -> tuple[str, Claims]:
        """(header.payload, claims) of a split token."""
        settings = self._settings
        if not settings.min_token_length <= len(token) <= settings.max_token_length:
            raise InvalidToken("The access token is malformed")
        wait = self._misses.seconds_to_wait(client, now=time.time())
        if wait:
            raise Problem(429, "Too many unknown access tokens from this address", retry_after_seconds=wait)
        key = split_tokens.kv_key_of(
            token, hash_name=settings.token_hash, encoding=settings.key_encoding, prefix=settings.key_prefix
        )
        try:
            value = await namespace.get(key)
        except Exception as error:  # noqa: BLE001  if KV fails in any way, the request must not pass
            _log.error("KV did not answer: %r", error)
            raise Problem(503, "The token store does not answer", retry_after_seconds=1) from None
        if value is None:
            self._misses.count(client, now=time.time())
            raise InvalidToken("The access token is not known")
        try:
            if len(value) <= _REMEMBERED_LENGTH:
                return value, self._remembered_claims(value)
            return value, split_tokens.claims_of(value)
        except BadEntry as error:
            # The client cannot do anything about it, so to it this is a miss. Half a hash identifies the entry without
            # revealing the token.
            _log.error("ALARM: the entry %s… in TOKENS is unusable: %s", key[: len(key) // 2], error)
            raise InvalidToken("The access token is not known") from None

    async def _forward(self, request: Request, headers: HeaderFields, whole: str | None) -> Response:
        """Forwards the request; with `whole` None its credentials stay as they are."""
        authorization = headers.get("authorization") if whole is None else f"Bearer {whole}"
        limit = self._settings.upstream_header_limit
        if limit and whole is not None and authorization is not None and len(authorization) > limit:
            raise Problem(431, f"The joined access token is longer than the {limit} bytes that the API takes")
        fields = self._request_fields.forward(headers, request.url, public=whole is None)
        if authorization is not None:
            fields.append(("authorization", authorization))
        try:
            # Following a redirect would send the joined token to another place.
            response = await fetch(Request(request, headers=fields, redirect="manual"))
        except OSError as error:
            _log.error("the API did not answer: %s", error)
            raise Problem(502, "The API did not answer") from None
        changed = response_fields(
            response.status,
            response.headers,
            whole,
            challenge=self._challenge,
            cors=self._cors_fields(headers),
        )
        if changed is None:
            return response
        return Response(response.body, status=response.status, status_text=response.status_text, headers=changed)

    def _cors_fields(self, headers: HeaderFields) -> Fields:
        allowed = self._settings.cors_origins
        return responses.cors_fields(headers.get("origin"), allowed) if allowed else []

    def _is_preflight(self, request: Request, headers: HeaderFields) -> bool:
        return (
            headers.get("origin") is not None
            and headers.get("access-control-request-method") is not None
            and request_method(request) == "OPTIONS"
        )

    def _preflight(self, headers: HeaderFields) -> ProblemResponse:
        return responses.preflight_response(
            headers.get("origin") or "",
            headers.get("access-control-request-method") or "",
            headers.get("access-control-request-headers"),
            realm=self._settings.realm,
            allowed=self._settings.cors_origins,
        )

    def _matches(self, paths: PathPatterns, request: Request) -> bool:
        return bool(paths) and paths.match(request_method(request), variables.path_of(request.url))


class _SignatureCheck:
    """Checks tokens with the issuer's keys."""

    def __init__(self, settings: GatewaySettings) -> None:
        # Imported here, so that a gateway that does not verify deploys without any package.
        from verifier import keys, remote

        self._module = keys
        self._keys: keys.KeySource
        if settings.jwks:
            try:
                self._keys = keys.FixedKeySource(keys.parse_key_set(settings.jwks, settings.algorithms))
            except keys.BadKeySet as error:
                raise SettingError(f"JWKS: {error}") from None
        else:
            self._keys = remote.remote_keys(settings.jwks_url, fetch, settings.algorithms)

    async def check(self, whole: str, header: Mapping[str, object], *, is_joined: bool) -> None:
        try:
            await self._module.check_token_signature(whole, header, self._keys, now=time.time())
        except InvalidToken as error:
            if is_joined:  # any client can send a whole JWT, but only a publisher can write to KV
                _log.error("ALARM: a joined token is not the issuer's: %s", error)
            raise
        except self._module.KeysUnavailable as error:
            raise Problem(
                503, "The issuer's keys cannot be fetched now", retry_after_seconds=error.retry_after_seconds
            ) from None


def _header_of(whole: str) -> Claims:
    try:
        return claims.decode_object(whole.partition(".")[0])
    except MalformedToken:
        raise InvalidToken("The access token is malformed") from None


def _to_response(made: ProblemResponse) -> Response:
    return Response(made.text, status=made.status, headers=made.fields)


# A local edge knows the variables while it loads a script, so a wrong one is reported then, before any request. On
# Cloudflare a loaded script becomes a snapshot that must not contain anything of `env`.
if sys.platform != "emscripten":
    from workers import env

    if dir(env):
        try:
            Gateway(gateway_settings.read(env))
        except SettingError as error:
            raise error.with_traceback(None) from None  # the text says everything


class Default(WorkerEntrypoint):
    env: GatewayEnv
    # One per isolate: the variables of an isolate never change, but `env` exists only while a request is handled.
    gateway: Gateway | None = None

    async def fetch(self, request: Request) -> Response:
        if Default.gateway is None:
            Default.gateway = Gateway(gateway_settings.read(self.env))
        return await Default.gateway.fetch(request, self.env.TOKENS)
