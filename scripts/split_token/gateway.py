"""What happens to one request: refused, answered, or passed on with the joined token. The only module that waits."""

import logging
import time

import tokens
from forwarding import RequestFields, response_fields
from misses import Misses
from tokens import BadEntry
from verifier import answers, claims, variables
from verifier.answers import Refused
from verifier.claims import InvalidToken, Malformed
from verifier.variables import SettingError
from workers import Request, Response, fetch

_log = logging.getLogger("split_token")

# Instead of a challenge of the API that quotes the joined token.
_REFUSED_BY_API = Refused(401, "The API refused the access token", error="invalid_token")


class Gateway:
    """One per isolate: the settings, and what is remembered between requests (misses, and the issuer's keys)."""

    def __init__(self, settings):
        self._settings = settings
        self._challenge = answers.challenge(_REFUSED_BY_API, realm=settings.realm)
        self._misses = Misses(settings.misses_per_minute)
        self._request_fields = RequestFields(settings.strip_headers)
        self._signatures = _Signatures(settings) if settings.verifies else None

    async def fetch(self, request, namespace):
        headers = request.headers
        try:
            if self._is_preflight(request, headers):
                return _response(self._preflight(headers))
            if self._matches(self._settings.public_paths, request):
                return await self._forward(request, headers, None)
            whole = await self._whole_token(request, headers, namespace)
            return await self._forward(request, headers, whole)
        except InvalidToken as invalid:
            refused = Refused(401, str(invalid), error="invalid_token")
        except Refused as error:
            refused = error
        return _response(answers.refusal(refused, realm=self._settings.realm, cors=self._cors(headers)))

    async def _whole_token(self, request, headers, namespace):
        """The JWT that goes to the API. Raises InvalidToken or Refused."""
        settings = self._settings
        token = claims.bearer(headers.get("authorization"))
        if token is None:
            raise Refused(401, "An access token is needed")
        if tokens.is_whole(token):
            whole, payload = token, self._claims_of_whole(request, token)
        else:
            value, payload = await self._entry(token, headers.get("cf-connecting-ip"), namespace)
            whole = f"{value}.{token}"
        claims.check_times(payload, now=time.time(), leeway=settings.clock_leeway_seconds)
        if settings.issuer:
            claims.check_issuer(payload, settings.issuer)
        if settings.audience:
            claims.check_audience(payload, settings.audience)
        if self._signatures is not None or settings.token_types:
            header = _header(whole)
            claims.check_header(header, settings.token_types)
            if self._signatures is not None:
                await self._signatures.check(whole, header, is_joined=whole is not token)
        if settings.scope and claims.missing_scopes(payload, settings.scope):
            raise Refused(
                403,
                "The access token does not have the scope that is needed",
                error="insufficient_scope",
                scope=" ".join(sorted(settings.scope)),
            )
        return whole

    def _claims_of_whole(self, request, token):
        if not self._matches(self._settings.jwt_paths, request):
            raise InvalidToken("A whole JWT is not accepted here")
        try:
            return tokens.claims_of(token.rpartition(".")[0])
        except BadEntry:
            raise InvalidToken("The access token is malformed") from None

    async def _entry(self, token, client, namespace):
        """(header.payload, claims) of a split token."""
        settings = self._settings
        if not settings.min_token_length <= len(token) <= settings.max_token_length:
            raise InvalidToken("The access token is malformed")
        wait = self._misses.seconds_to_wait(client, now=time.time())
        if wait:
            raise Refused(429, "Too many unknown access tokens from this address", retry_after_seconds=wait)
        key = tokens.key_of(
            token, hash_name=settings.token_hash, encoding=settings.key_encoding, prefix=settings.key_prefix
        )
        try:
            value = await namespace.get(key)
        except Exception as error:  # noqa: BLE001  whatever goes wrong with KV, nothing may pass without it
            _log.error("KV did not answer: %r", error)
            raise Refused(503, "The token store does not answer", retry_after_seconds=1) from None
        if value is None:
            self._misses.count(client, now=time.time())
            raise InvalidToken("The access token is not known")
        try:
            return value, tokens.claims_of(value)
        except BadEntry as error:
            # To the client it is a miss: it can do nothing about it. Half a hash names the entry and reveals no token.
            _log.error("ALARM: the entry %s… in TOKENS cannot be used: %s", key[: len(key) // 2], error)
            raise InvalidToken("The access token is not known") from None

    async def _forward(self, request, headers, whole):
        """Passes the request on; `whole` None leaves its credentials as they are."""
        authorization = headers.get("authorization") if whole is None else f"Bearer {whole}"
        limit = self._settings.upstream_header_limit
        if limit and whole is not None and len(authorization) > limit:
            raise Refused(431, f"The joined access token is longer than the {limit} bytes that the API takes")
        fields = self._request_fields.passing(headers, request.url, public=whole is None)
        if authorization is not None:
            fields.append(("authorization", authorization))
        try:
            # The joined token must not follow a redirect to wherever it leads.
            response = await fetch(Request(request, headers=fields, redirect="manual"))
        except OSError as error:
            _log.error("the API did not answer: %s", error)
            raise Refused(502, "The API did not answer") from None
        changed = response_fields(
            response.status,
            response.headers,
            whole,
            challenge=self._challenge,
            cors=self._cors(headers),
        )
        if changed is None:
            return response
        return Response(response.body, status=response.status, status_text=response.status_text, headers=changed)

    def _cors(self, headers):
        allowed = self._settings.cors_origins
        return answers.cors_fields(headers.get("origin"), allowed) if allowed else []

    def _is_preflight(self, request, headers):
        return (
            bool(self._settings.cors_origins)
            and headers.get("origin") is not None
            and headers.get("access-control-request-method") is not None
            and _method(request) == "OPTIONS"
        )

    def _preflight(self, headers):
        return answers.preflight(
            headers.get("origin"),
            headers.get("access-control-request-method"),
            headers.get("access-control-request-headers"),
            realm=self._settings.realm,
            allowed=self._settings.cors_origins,
        )

    def _matches(self, paths, request):
        return bool(paths) and paths.match(_method(request), variables.path_of(request.url))


class _Signatures:
    """Checks tokens with the issuer's keys."""

    def __init__(self, settings):
        # Only here, so that a gateway that does not verify is deployed without any package.
        from verifier import keys, remote

        self._module = keys
        if settings.jwks:
            try:
                self._keys = keys.FixedKeys(keys.parse(settings.jwks, settings.algorithms))
            except keys.BadKeySet as error:
                raise SettingError(f"JWKS: {error}") from None
        else:
            self._keys = remote.keys_at(settings.jwks_url, fetch, settings.algorithms)

    async def check(self, whole, header, *, is_joined):
        try:
            await self._module.check_signature(whole, header, self._keys, now=time.time())
        except InvalidToken as error:
            if is_joined:  # a client can send any whole JWT, but not put one into KV
                _log.error("ALARM: a joined token is not the issuer's: %s", error)
            raise
        except self._module.KeysUnavailable as error:
            raise Refused(
                503, "The issuer's keys cannot be had just now", retry_after_seconds=error.retry_after_seconds
            ) from None


def _header(whole):
    try:
        return claims.object_of(whole.partition(".")[0])
    except Malformed:
        raise InvalidToken("The access token is malformed") from None


def _method(request):
    try:
        return str(request.method)
    except KeyError:  # a method that Python's http.HTTPMethod does not know
        return ""


def _response(answer):
    return Response(answer.text, status=answer.status, headers=answer.fields)
