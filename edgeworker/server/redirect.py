"""The http socket beside an https one: redirect to the same URL over TLS."""

from collections.abc import Container

from edgeworker.messages import Headers, RefusalReason, Request, Response


class RedirectToHTTPS:
    """A Handler. Only requests for `hosts` are redirected: with any Host, a client could make this edge point anywhere.

    The status is 308, which keeps the method and the body. `hosts` may be replaced at any time.
    """

    def __init__(self, hosts: Container[str], *, port: int) -> None:
        """`port` is where https is served."""
        self.hosts = hosts
        self._port = "" if port == 443 else f":{port}"

    async def fetch(self, request: Request, /) -> Response:
        url = request.url
        headers = Headers({"content-type": "text/plain; charset=UTF-8", "cache-control": "no-store"})
        if url.hostname not in self.hosts:
            response = Response(421, headers, b"This host is not served here.\n")
            response.refusal_reason = RefusalReason("the redirect to https", ("the host is not served here",))
            return response
        headers.append("location", f"https://{url.hostname}{self._port}{url.target}")
        return Response(308, headers, b"This is served over https.\n")
