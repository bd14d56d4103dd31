"""The calls that edgeworker itself makes: remote `kv`, key sets, the demo. One aiohttp session, as a Handler.

Scripts' `fetch()` and connections with origins do not come here (`server.origin`): the person who runs a command names
the server, so it may be anywhere. The target is sent as it is, redirects are not followed, no cookie is kept.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Final, Self

from edgeworker.config import Outbound
from edgeworker.errors import OriginError
from edgeworker.messages import Body, Headers, Request, Response
from edgeworker.server.outbound_proxy import Proxies, with_environment_proxies

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession
    from aiohttp.abc import ResolveResult

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 60.0
_PIECE_BYTES: Final = 64 * 1024
_AUTOMATIC: Final = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class HttpClient:
    """A Handler that goes to the host of a request's URL, through the proxy that the environment names for it.

    It waits `read_seconds` for the next piece of an answer.
    """

    def __init__(self, environ: Mapping[str, str], *, read_seconds: float = READ_SECONDS) -> None:
        """Raises ConfigError for a proxy that cannot be used."""
        self._read_seconds = read_seconds
        self._proxies = Proxies.from_config(with_environment_proxies(environ, Outbound()))
        self._session: ClientSession | None = None

    async def fetch(self, request: Request, /) -> Response:
        """Raises OriginError for a server that cannot be reached, or does not speak HTTP."""
        from aiohttp import ClientError

        try:
            answer = await self._send(request)
        except (ClientError, OSError, TimeoutError) as error:
            raise OriginError(f"{request.url.origin}: {_reason(error, self._read_seconds)}", status=523) from error
        headers = Headers.from_raw(list(answer.raw_headers))
        return Response(answer.status, headers, Body(_pieces(answer, self._read_seconds), length=answer.content_length))

    async def _send(self, request: Request) -> "ClientResponse":
        from multidict import CIMultiDict
        from yarl import URL

        url = request.url
        target = request.raw_target or url.target
        proxy = self._proxies.proxy_for(url.scheme, url.hostname.strip("[]"), url.port)
        headers = CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
        body = request.body
        if body is not None and body.length is not None:
            headers["Content-Length"] = str(body.length)
        through = {} if proxy is None or proxy.authorization is None else {"Proxy-Authorization": proxy.authorization}
        session = self._session or self._open()
        return await session.request(
            request.method,
            URL(url.origin + target, encoded=True),
            headers=headers,
            data=None if body is None else _in_pieces(body),
            allow_redirects=False,
            proxy=None if proxy is None else f"http://{proxy.host}:{proxy.port}",
            proxy_headers={name: value.decode("latin-1") for name, value in through.items()},
        )

    def _open(self) -> "ClientSession":
        from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, ThreadedResolver

        class LocalhostResolver(ThreadedResolver):
            """Names below localhost are this machine, also where its resolver does not know it (RFC 6761)."""

            async def resolve(
                self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
            ) -> "list[ResolveResult]":
                here = host == "localhost" or host.endswith(".localhost")
                return await super().resolve("127.0.0.1" if here else host, port, family)

        session = self._session = ClientSession(
            connector=TCPConnector(resolver=LocalhostResolver(), family=socket.AF_UNSPEC),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=_AUTOMATIC,
            timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=self._read_seconds),
            trust_env=False,
        )
        return session

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _in_pieces(body: Body) -> AsyncIterator[bytes]:
    async for piece in body.stream():
        for start in range(0, len(piece), _PIECE_BYTES):
            yield piece[start : start + _PIECE_BYTES]


async def _pieces(answer: "ClientResponse", read_seconds: float) -> AsyncIterator[bytes]:
    from aiohttp import ClientError

    try:
        async for piece in answer.content.iter_any():
            yield piece
    except (ClientError, OSError, TimeoutError) as error:
        raise OriginError(
            f"{answer.url.origin()}: the answer broke off: {_reason(error, read_seconds)}", status=520
        ) from error
    finally:
        answer.close()


def _reason(error: Exception, read_seconds: float) -> str:
    """What a person can do something about."""
    match getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error:  # as aiohttp wraps it
        case ssl.SSLCertVerificationError(verify_message=text):
            return f"its certificate is not trusted here: {text}; SSL_CERT_FILE may name the authority's certificate"
        case ssl.SSLError(reason=reason):
            return f"TLS failed ({reason or error}); a server that speaks http is asked with http://"
        case socket.gaierror():
            return "the name cannot be resolved"
        case TimeoutError() | asyncio.TimeoutError():
            return f"there was no answer in time ({CONNECT_SECONDS:g} s to connect, {read_seconds:g} s to answer)"
        case OSError(errno=int(number)):
            return os.strerror(number)  # asyncio's own text names addresses only
        case _:
            return str(error) or type(error).__name__
