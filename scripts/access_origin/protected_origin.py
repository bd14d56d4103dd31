"""An origin behind Cloudflare Access that believes the signed token and nothing else.

`ctx.access` is undefined for workers with static assets and behind service bindings; the header is there always.
"""

from access_verifier import MAX_CERTS_BYTES, AccessDenied, AccessVerifier, KeysUnavailable
from workers import Request, Response, WorkerEntrypoint, fetch

_verifiers: dict[tuple[str, str], AccessVerifier] = {}


async def fetch_certs(url: str) -> bytes:
    response = await fetch(url, redirect="manual")
    if response.status != 200:
        raise ValueError(f"{url} answered {response.status}")
    length = int(response.headers.get("content-length") or 0)
    if length > MAX_CERTS_BYTES:
        raise ValueError(f"{url} answered {length} bytes")
    return await response.bytes()


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        token = request.headers.get("Cf-Access-Jwt-Assertion")
        if not token:
            return Response("No token on the request", status=403)
        place = (str(getattr(self.env, "TEAM_DOMAIN", "")), str(getattr(self.env, "POLICY_AUD", "")))
        verifier = _verifiers.get(place)
        if verifier is None:
            verifier = _verifiers[place] = AccessVerifier(*place, fetch=fetch_certs)
        try:
            claims = await verifier.verify(token)
        except AccessDenied as error:
            return Response(f"Invalid token: {error}", status=403)
        except KeysUnavailable as error:
            return Response(str(error), status=503)
        return Response(f"Hello {claims.get('email') or claims.get('common_name')}")
