"""The request as an origin or worker gets it from Access, and its answer as the client gets it."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from edgeworker.handler import Handler
from edgeworker.messages import Access, Headers, Request, Response
from edgeworker.products.access import cookies
from edgeworker.products.access.config import Application

ASSERTION: Final = b"Cf-Access-Jwt-Assertion"
EMAIL: Final = b"Cf-Access-Authenticated-User-Email"
_OWN_PREFIX: Final = b"cf-access-"
_FIRST_LETTERS: Final = (b"c", b"C")

LoadIdentity = Callable[[str], Awaitable[Mapping[str, object] | None]]


async def forward(
    then: Handler,
    request: Request,
    application: Application,
    *,
    token: str,
    email: str,
    nonce: str,
    load_identity: LoadIdentity,
    without: frozenset[bytes] = frozenset(),
) -> Response:
    """Sends the request on with its token in header and cookie. `without` are fields that held a credential."""
    fields = request.headers.raw
    cookie = request.credentials.cookie
    if without:
        fields = [field for field in fields if field[0].lower() not in without]
    if cookie is None or not cookies.is_ready_for_origin(cookie, token, request.credentials.access_cookie):
        fields = [field for field in fields if field[0].lower() != b"cookie"]
        fields.append((b"Cookie", cookies.for_origin(cookie, token).encode("latin-1")))
    added = [*fields, (ASSERTION, token.encode("ascii"))]
    if email:
        added.append((EMAIL, email.encode()))
    access = Access(application.aud, None, partial(load_identity, nonce) if nonce else None)
    response = await then.fetch(request.let_in(Headers.from_raw(added), access))
    remove_own_fields(response)
    return response


def remove_own_fields(response: Response) -> None:
    """Remove Cf-Access-* fields, so that an origin cannot forge Access's own, nor show a token that it echoes."""
    fields = response.headers.raw
    for name, _ in fields:
        if name[:1] in _FIRST_LETTERS and name[:10].lower() == _OWN_PREFIX:
            kept = [field for field in fields if field[0][:10].lower() != _OWN_PREFIX]
            response.headers = Headers.from_raw(kept)
            return
