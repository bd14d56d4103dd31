"""The http socket beside an https one: redirect to the same URL over TLS, and the answers to ACME's HTTP-01."""

from collections.abc import Callable, Container
from typing import Final

from edgeworker.messages import Headers, RefusalReason, Request, Response

# RFC 8555, section 8.3.
_CHALLENGES: Final = "/.well-known/acme-challenge/"


class RedirectToHTTPS:
    """A Handler. Only requests for `hosts` are redirected: with any Host this would be an open redirect.

    The status is 308, which keeps the method and the body. `hosts` may be replaced at any time.
    """

    def __init__(
        self, hosts: Container[str], *, port: int, find_challenge: Callable[[str], bytes | None] = lambda _: None
    ) -> None:
        """`port` is where https is served. `find_challenge` gives the answer to a token of ACME, if it is under way."""
        self.hosts = hosts
        self._find_challenge = find_challenge
        self._port = "" if port == 443 else f":{port}"

    async def fetch(self, request: Request, /) -> Response:
        url = request.url
        headers = Headers({"content-type": "text/plain; charset=UTF-8", "cache-control": "no-store"})
        if url.path.startswith(_CHALLENGES) and request.method in ("GET", "HEAD"):
            answer = self._find_challenge(url.path.removeprefix(_CHALLENGES))
            if answer is not None:
                return Response(200, headers, answer)
        if url.hostname not in self.hosts:
            response = Response(421, headers, b"This host is not served here.\n")
            response.refusal_reason = RefusalReason("the redirect to https", ("the host is not served here",))
            return response
        headers.append("location", f"https://{url.hostname}{self._port}{url.target}")
        return Response(308, headers, b"This is served over https.\n")
