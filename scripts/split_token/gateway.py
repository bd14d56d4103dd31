"""What happens to one request: refused, answered, or passed on with the joined token. The only module that waits."""

import asyncio
import logging
import time

import answers
import tokens
from answers import Refused
from forwarding import RequestFields, response_fields
from misses import Misses
from settings import SettingError
from tokens import BadEntry, InvalidToken
from workers import Request, Response, fetch

_log = logging.getLogger("split_token")

_JWKS_TIMEOUT_SECONDS = 10

# Instead of a challenge of the API that quotes the joined token.
_REFUSED_BY_API = Refused(401, "The API refused the access token", error="invalid_token")


class Gateway:
    """One per isolate: the settings, and what is remembered between requests (misses, and the issuer's keys)."""

    def __init__(self, settings):
        self._settings = settings
        self._challenge = answers.challenge(_REFUSED_BY_API, realm=settings.realm)
        self._misses = Misses(settings.misses_per_minute)
        self._request_fields = RequestFields(settings.strip_headers)
        self._signatures = _signatures(settings)

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
        token = tokens.bearer(headers.get("authorization"))
        if token is None:
            raise Refused(401, "An access token is needed")
        if tokens.is_whole(token):
            whole, claims = token, self._claims_of_whole(request, token)
        else:
            value, claims = await self._entry(token, headers.get("cf-connecting-ip"), namespace)
            whole = f"{value}.{token}"
        tokens.check_times(claims, now=time.time(), leeway=settings.clock_leeway_seconds)
        if settings.issuer:
            tokens.check_issuer(claims, settings.issuer)
        if settings.audience:
            tokens.check_audience(claims, settings.audience)
        if self._signatures is not None:
            await self._signatures.check(whole)
        if settings.scope and tokens.missing_scopes(claims, settings.scope):
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
        return bool(paths) and paths.match(_method(request), _path(request.url))


class _Signatures:
    """Checks joined tokens with the issuer's keys."""

    def __init__(self, keys_module, settings):
        self._keys = keys_module
        self._fixed = self._remote = None
        if settings.jwks:
            self._fixed = keys_module.parse(settings.jwks, settings.algorithms)
        else:
            self._remote = keys_module.RemoteKeys(
                lambda: _text_at(settings.jwks_url, keys_module.MAX_DOCUMENT_LENGTH), settings.algorithms
            )

    async def check(self, whole):
        keys = self._keys
        try:
            header = tokens.object_of(whole.partition(".")[0])
            known = self._fixed or await self._remote.current(now=time.time())
            try:
                keys.verify(whole, header, known)
            except keys.UnknownKey:
                newer = None if self._remote is None else await self._remote.newer(now=time.time())
                if newer is None:
                    raise
                keys.verify(whole, header, newer)
        except (BadEntry, keys.UnknownKey, keys.BadSignature) as error:
            _log.error("ALARM: a joined token is not the issuer's: %s", error or "it names an unknown key")
            raise InvalidToken("The access token is not signed by a known key") from None
        except keys.KeysUnavailable as error:
            raise Refused(
                503, "The issuer's keys cannot be had just now", retry_after_seconds=error.retry_after_seconds
            ) from None


def _signatures(settings):
    if not settings.verifies:
        return None
    # Only here, so that a gateway that does not verify is deployed without any package.
    import keys

    try:
        return _Signatures(keys, settings)
    except keys.BadKeySet as error:
        raise SettingError(f"JWKS: {error}") from None


async def _text_at(url, limit):
    """A document of at most `limit` bytes. Raises OSError."""

    async def get():
        response = await fetch(url, headers={"accept": "application/json"}, redirect="manual")
        if response.status != 200:
            raise OSError(f"{url} answered {response.status}")
        return await _bounded_text(response, limit)

    return await asyncio.wait_for(get(), _JWKS_TIMEOUT_SECONDS)


async def _bounded_text(response, limit):
    """`response.text()` would take in whatever comes."""
    content = b""
    if response.body is not None:
        reader = response.body.getReader()
        while not (piece := await reader.read()).done:
            content += piece.value.to_bytes()
            if len(content) > limit:
                await reader.cancel()
                raise OSError(f"the document is larger than {limit} bytes")
    return content.decode("utf-8", "replace")


def _method(request):
    try:
        return str(request.method)
    except KeyError:  # a method that Python's http.HTTPMethod does not know
        return ""


def _path(url):
    return "/" + url.partition("://")[2].partition("/")[2].partition("?")[0]


def _response(answer):
    return Response(answer.text, status=answer.status, headers=answer.fields)
