"""One-time PINs: six digits that are written to the log instead of being sent by mail.

The page is the same for everyone; a code is made only for those whom a policy of the application could let in. It is
good for ten minutes, once, and in the browser that asked for it.
"""

import hashlib
import hmac
import logging
import secrets
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Request, Response
from edgeworker.products.access import cookies, pages
from edgeworker.products.access.client_limit import ClientLimit
from edgeworker.products.access.config import IdentityProvider
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.issuing import new_cookie_secret, secret_hash
from edgeworker.products.access.login import Login, LoginFlow, read_form
from edgeworker.products.access.policy import Identity
from edgeworker.products.access.services import AccessServices
from edgeworker.products.access.sessions import is_email
from edgeworker.state import Conflict

_log = logging.getLogger(__name__)

_CODE_SECONDS: Final = 600
_MAX_TRIES: Final = 5
# From one client, in ten minutes.
_MAX_REQUESTS: Final = 30


class OneTimePin:
    def __init__(self, services: AccessServices, flow: LoginFlow) -> None:
        self._services = services
        self._flow = flow
        self._limit = ClientLimit("codes", _MAX_REQUESTS, _CODE_SECONDS, services.counts)

    async def post(self, request: Request, host: str, snapshot: Snapshot) -> Response:
        """POST /cdn-cgi/access/onetimepin/<host>: an address, or an address and its code."""
        login = await self._flow.read(request, host, snapshot)
        if isinstance(login, Response):
            return login
        offered = snapshot.providers_for(login.application)
        provider = next((item for item in offered if item.type == "onetimepin"), None)
        form = await read_form(request)
        if provider is None or form is None or not self._flow.is_own_form(login, form):
            text = "Open the application again."
            return pages.message_page("This form cannot be used", text, team=snapshot.organization.name, status=403)
        email = form.get("email", "").strip().lower()
        if not is_email(email):
            return self._flow.page(login, snapshot, alert="Write an e-mail address, such as ada@example.com.")
        if "code" not in form:
            return await self._send(request, login, email, provider, snapshot)
        return await self._check(request, login, email, form["code"].strip(), provider, snapshot)

    async def _send(
        self, request: Request, login: Login, email: str, provider: IdentityProvider, snapshot: Snapshot
    ) -> Response:
        device = cookies.value_of(request.credentials.cookie, cookies.DEVICE)
        is_known = 20 <= len(device) <= 100
        device = device if is_known else new_cookie_secret()
        identity = Identity(email, "", provider.id, provider.type)
        allowed = self._flow.allows(identity, request, login.application, snapshot) is not None
        if allowed and self._limit.allows(request.client.ip, self._services.clock.now()):
            code = f"{secrets.randbelow(1_000_000):06d}"
            value: dict[str, JSON] = {"hash": secret_hash(code + device), "tries": 0}
            expires_at = self._services.clock.now() + _CODE_SECONDS
            await self._services.documents.put("pin", _document_id(email, device), value, expires_at=expires_at)
            _log.warning("Access: the login code for %s at %s is %s", email, login.application.name, code)
        response = pages.pin_page(self._flow.form(login), email, team=snapshot.organization.name)
        if not is_known:
            cookie = cookies.make(
                cookies.DEVICE, device, secure=login.is_secure, seconds=cookies.DEVICE_SECONDS, same_site="strict"
            )
            response.headers.append("Set-Cookie", cookie)
        return response

    async def _check(
        self, request: Request, login: Login, email: str, code: str, provider: IdentityProvider, snapshot: Snapshot
    ) -> Response:
        device = cookies.value_of(request.credentials.cookie, cookies.DEVICE)
        if await self._use_code(email, code, device):
            return await self._flow.complete(request, login, Identity(email, "", provider.id, provider.type), snapshot)
        return pages.pin_page(
            self._flow.form(login),
            email,
            team=snapshot.organization.name,
            alert="That code is not valid. It may have expired, or been used.",
            status=400,
        )

    async def _use_code(self, email: str, code: str, device: str) -> bool:
        """Whether this is the code, which is deleted then. Each wrong try counts; tries at once delete the code."""
        documents, key = self._services.documents, _document_id(email, device)
        known = await documents.get("pin", key)
        if known is None or not device:
            return False
        expected, tries = known.value.get("hash"), known.value.get("tries")
        if not isinstance(expected, str) or not isinstance(tries, int) or tries >= _MAX_TRIES:
            return False
        if not hmac.compare_digest(secret_hash(code + device), expected):
            value: dict[str, JSON] = {"hash": expected, "tries": tries + 1}
            try:
                await documents.put("pin", key, value, if_revision=known.revision, expires_at=known.expires_at)
            except Conflict:
                await documents.delete("pin", key)  # tries at once: someone is guessing
            return False
        return await documents.take("pin", key) is not None


def _document_id(email: str, device: str) -> str:
    return hashlib.sha256(f"{device}\0{email}".encode("utf-8", "surrogateescape")).hexdigest()
