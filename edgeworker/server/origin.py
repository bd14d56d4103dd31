"""Handlers that send requests to other servers: to an origin behind the edge, and to the internet."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final

from edgeworker.admission import IS_HOP_BY_HOP, Field, end_to_end
from edgeworker.balancing.settings import OriginTimeouts
from edgeworker.clock import Clock
from edgeworker.config import USUAL_ORIGIN_TLS, OriginTLS, Outbound
from edgeworker.errors import ConfigError, OriginError
from edgeworker.handler import Handler, PendingResponse
from edgeworker.messages import URL, Body, Headers, InvalidURL, NameTable, Request, Response
from edgeworker.server.http1 import heads
from edgeworker.server.name_lookups import NameLookups
from edgeworker.server.origin_connection import ConnectionClosedBeforeResponse, OriginResponse
from edgeworker.server.origin_endpoint import OriginEndpoint
from edgeworker.server.outbound import OutboundPolicy
from edgeworker.server.outbound_proxy import Proxies
from edgeworker.server.pool import Pool, Resolve

# https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
# A request with one of these methods says how long its body is even where it has none.
_BODY_EXPECTED: Final = frozenset({"POST", "PUT", "PATCH"})
# Content has no defined meaning in them (RFC 9110, section 9.3): some servers take it for the next request.
_BODY_UNEXPECTED: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
# The edge writes Host and Content-Length itself; our own listener answered Expect when the body was first read.
_NOT_FORWARDED: Final = frozenset({b"host", b"content-length", b"expect"})


NO_ORIGIN_TLS: Final[Mapping[str, OriginTLS]] = MappingProxyType({})
NO_TIMEOUTS: Final[Mapping[str, OriginTimeouts]] = MappingProxyType({})


# What is done with a field of that name.
_END_TO_END: Final = 0
_DROPPED: Final = 1
_CONNECTION: Final = 2
_UPGRADE: Final = 3
_KIND_BY_NAME: Final = {b"connection": _CONNECTION, b"upgrade": _UPGRADE}


def _classify_field(name: bytes) -> int:
    lower = name.lower()
    return _KIND_BY_NAME.get(lower, _DROPPED if IS_HOP_BY_HOP[name] or lower in _NOT_FORWARDED else _END_TO_END)


_KINDS: Final = NameTable(_classify_field)


class OriginClient:
    """An HTTP/1.1 client for what passes through: nothing is followed, decoded, stored or added.

    `internet` fetches `request.url` from where its name points to. `at(base)` sends every request to one server, with
    the Host that the request's URL says. Both raise OriginError. What `internet` may reach is decided by
    `outbound.allow_private`; the constructor raises ConfigError for entries in it that mean nothing, and for TLS files
    that cannot be used. What `at` is given was configured by the operator and may be anywhere; `origin_tls` says by
    base URL ("https://10.0.0.1:8443") how to speak TLS with it (see edgeworker.routing.origin_tls_of), `timeouts` how
    long it may take where it is not as `outbound` says.
    """

    def __init__(
        self,
        outbound: Outbound,
        clock: Clock,
        *,
        origin_tls: Mapping[str, OriginTLS] = NO_ORIGIN_TLS,
        timeouts: Mapping[str, OriginTimeouts] = NO_TIMEOUTS,
    ) -> None:
        self._outbound = outbound
        self._clock = clock
        self._lookups = NameLookups()
        self._policy = OutboundPolicy.parse(outbound.allow_private)
        proxies = Proxies.from_config(outbound)
        self._origin_tls = origin_tls
        # Several pools: a connection that the operator's configuration may open must not serve a script's fetch(), nor
        # one that shows a client certificate an origin that is to be reached without it.
        self._origins: dict[tuple[OriginTLS, OriginTimeouts], Pool] = {}
        response = outbound.response_timeout_seconds
        self._usual_timeouts = OriginTimeouts(outbound.connect_timeout_seconds, response, response)
        self._timeouts = timeouts
        self._internet_pool = self._pool(self._resolve_checked, USUAL_ORIGIN_TLS, "outbound", self._usual_timeouts)
        for base, settings in origin_tls.items():
            self._origin_pool(settings, base)
        self.internet: Handler = _Internet(self._internet_pool, proxies)

    def at(self, base: str) -> Handler:
        """Raises ConfigError for what is not the base URL of a server."""
        try:
            url = URL.parse(base)
        except InvalidURL as error:
            raise ConfigError(f'origin "{base}": not an http or https URL such as "http://127.0.0.1:3000"') from error
        if url.target != "/":
            raise ConfigError(f'origin "{base}": has a path; the path comes from the request, so write "{url.origin}"')
        settings = self._origin_tls.get(url.origin, USUAL_ORIGIN_TLS)
        endpoint = _make_endpoint(url)
        if settings.server_name is not None and endpoint.tls_name is not None:
            endpoint = replace(endpoint, tls_name=settings.server_name)
        return PoolHandler(self._origin_pool(settings, url.origin), endpoint)

    async def close(self) -> None:
        for pool in (*self._origins.values(), self._internet_pool):
            await pool.close()

    def _origin_pool(self, settings: OriginTLS, base: str) -> Pool:
        timeouts = self._timeouts.get(base, self._usual_timeouts)
        pool = self._origins.get((settings, timeouts))
        if pool is None:
            pool = self._origins[settings, timeouts] = self._pool(self._resolve, settings, f'origin "{base}"', timeouts)
        return pool

    def _pool(self, resolve: Resolve, settings: OriginTLS, where: str, timeouts: OriginTimeouts) -> Pool:
        def tls() -> ssl.SSLContext:
            # The code that reads certificates is slow to import, and many edges never use TLS towards an origin.
            from edgeworker.server.tls import origin_context

            return origin_context(settings, self._outbound.ca_file, now=self._clock.now(), where=where)

        # The system's certificates are read when they are first needed, which takes a while; files that are configured
        # are read now, so that a wrong one is reported before it is needed.
        usual = settings == USUAL_ORIGIN_TLS and self._outbound.ca_file is None
        context = None if usual else tls()
        return Pool(
            tls=tls if context is None else lambda: context,
            resolve=resolve,
            connect_timeout_seconds=timeouts.connect,
            response_timeout_seconds=timeouts.first_byte,
            idle_timeout_seconds=timeouts.idle,
        )

    async def _resolve(self, endpoint: OriginEndpoint) -> Sequence[str]:
        return await self._lookups.addresses(endpoint.host, endpoint.port)

    async def _resolve_checked(self, endpoint: OriginEndpoint) -> Sequence[str]:
        """The addresses that may be connected to: those of the endpoint, or of the proxy in front of it.

        A proxy is the operator's and may be anywhere; what is asked of it is checked like everything else. It looks
        names up itself, so a name that we cannot look up is refused too: it may mean anything to the proxy.
        """
        if endpoint.proxy is None:
            return await self._check_addresses(endpoint)
        if not self._policy.allows_host(endpoint.host):
            try:
                await self._check_addresses(endpoint)
            except OSError as error:
                raise OriginError(
                    f"{endpoint} cannot be resolved here, so it may be private to the proxy; if scripts may fetch it, "
                    f'add "{endpoint.host}" to outbound.allow_private',
                    status=403,
                ) from error
        return await self._resolve(OriginEndpoint(endpoint.proxy.host, endpoint.proxy.port))

    async def _check_addresses(self, endpoint: OriginEndpoint) -> Sequence[str]:
        addresses = await self._resolve(endpoint)
        # What follows "%" is a network interface of this machine, which no name outside can mean.
        allowed = [one for one in addresses if "%" not in one and self._policy.allows(endpoint.host, ip_address(one))]
        if not allowed:
            raise OriginError(
                f"{endpoint} is at {', '.join(addresses)}, which is not on the public internet; "
                f'if scripts may fetch it, add "{endpoint.host}" to outbound.allow_private',
                status=403,
            )
        return allowed


class PoolHandler:
    """Sends every request to one endpoint, with the Host that the request's URL says. Unless it `repeats`, one whose
    kept connection ends without an answer is not sent again, and raises OriginError with status 520."""

    __slots__ = ("_endpoint", "_pool", "_repeats")

    def __init__(self, pool: Pool, endpoint: OriginEndpoint, *, repeats: bool = True) -> None:
        self._pool = pool
        self._endpoint = endpoint
        self._repeats = repeats

    def fetch(self, request: Request, /) -> PendingResponse:
        return _fetch(self._pool, self._endpoint, request, repeats=self._repeats)


class _Internet:
    __slots__ = ("_pool", "_proxies")

    def __init__(self, pool: Pool, proxies: Proxies) -> None:
        self._pool = pool
        self._proxies = proxies

    async def fetch(self, request: Request, /) -> Response:
        endpoint = _make_endpoint(request.url)
        proxy = self._proxies.proxy_for(request.url.scheme, endpoint.host, endpoint.port)
        if proxy is not None:
            endpoint = replace(endpoint, proxy=proxy)
        return await _fetch(self._pool, endpoint, request)


def _make_endpoint(url: URL) -> OriginEndpoint:
    host = url.hostname.strip("[]")
    return OriginEndpoint(host, url.port, host if url.scheme == "https" else None)


async def _fetch(pool: Pool, endpoint: OriginEndpoint, request: Request, *, repeats: bool = True) -> Response:
    body = request.body
    head, later, upgrading = _build_head(request, body, endpoint)
    to_head = request.method == "HEAD"
    # What the client wrote into such a body must not stand before the request of another client.
    once = body is not None and body.length != 0 and request.method in _BODY_UNEXPECTED
    connection = None if upgrading or once else pool.take_idle(endpoint)
    if connection is not None:
        try:
            return _build_response(request, await connection.begin_request(head, later, to_head=to_head))
        except asyncio.CancelledError:
            connection.abort()
            raise
        except ConnectionClosedBeforeResponse as error:
            if later is not None or request.method not in _IDEMPOTENT or not repeats:
                raise OriginError(f"{endpoint} closed the connection without an answer", status=520) from error
    connection = await pool.connect(endpoint)
    connection.is_single_use = once
    try:
        response = await connection.begin_request(head, later, to_head=to_head, may_upgrade=upgrading)
    except asyncio.CancelledError:
        connection.abort()
        raise
    except ConnectionClosedBeforeResponse as error:
        text = f"{endpoint} closed the connection without an answer"
        if endpoint.tls_name is not None:
            # In TLS 1.3 we are done with the handshake before the origin has looked for our certificate.
            text += "; if it wants a client certificate, give it one (origin_client_cert)"
        raise OriginError(text, status=520) from error
    return _build_response(request, response)


def _build_head(request: Request, body: Body | None, endpoint: OriginEndpoint) -> tuple[bytes, Body | None, bool]:
    """What is written at once (a body that is there already goes with its head), the body that follows, and whether the
    request asks for a WebSocket."""
    url = request.url
    target = url.target
    fields = [(b"Host", url.host.encode("ascii"))]
    if endpoint.proxy is not None and endpoint.tls_name is None:
        # https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
        target = url.href
        if endpoint.proxy.authorization is not None:
            fields.append((b"Proxy-Authorization", endpoint.proxy.authorization))
    sent, upgrading = _select_fields(request.headers.raw)
    fields += sent
    upgrading = upgrading and request.method == "GET"
    if upgrading:
        fields += [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
    if body is None:
        if request.method in _BODY_EXPECTED:
            fields.append((b"Content-Length", b"0"))
    elif body.length is not None:
        fields.append((b"Content-Length", b"%d" % body.length))
    else:
        fields.append((b"Transfer-Encoding", b"chunked"))
    head = heads.serialize_head(f"{request.method} {target} HTTP/1.1".encode("ascii"), fields)
    content = None if body is None else body.take_complete()
    return (head, body, upgrading) if content is None else (head + content, None, upgrading)


def _select_fields(fields: list[Field]) -> tuple[list[Field], bool]:
    """The fields that go to the origin as they are, and whether an upgrade to WebSocket is asked for."""
    sent: list[Field] = []
    upgrading = False
    for field in fields:
        kind = _KINDS[field[0]]
        if kind == _END_TO_END:
            sent.append(field)
        elif kind == _UPGRADE:
            upgrading = field[1].lower() == b"websocket"
        elif kind == _CONNECTION:
            return _select_fields(end_to_end(fields))[0], _select_fields(
                [field for field in fields if field[0].lower() != b"connection"]
            )[1]
    return sent, upgrading


def _build_response(request: Request, received: OriginResponse) -> Response:
    head = received.head
    headers = Headers.from_raw(head.fields)
    response = Response(head.status, headers, received.body, status_text=head.reason, url=request.url.href)
    response.upgrade = received.upgrade
    return response
