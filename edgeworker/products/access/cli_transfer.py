"""Gives `cloudflared access login` its tokens: a page on the application's host, and the host where they are fetched.

The program opens the page with a public key in its address and waits at the other host. The person who opens the page
logs in first, and says that they began this themselves: such an address could come in someone else's mail.

Protocol: `token/transfer.go` and `token/encrypt.go` of cloudflare/cloudflared.
"""

import asyncio
import base64
import binascii
import hmac
import json
import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edgeworker.config import JSON
from edgeworker.messages import Headers, RefusalReason, Request, Response
from edgeworker.products.access import pages
from edgeworker.products.access.authentication import AppSession
from edgeworker.products.access.config import Application
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.issuing import secret_hash
from edgeworker.products.access.login import read_form
from edgeworker.products.access.login_links import query_of
from edgeworker.products.access.nacl_box import NONCE_BYTES, seal
from edgeworker.products.access.services import AccessServices

_PATH: Final = "/transfer/"
_TRANSFER_SECONDS: Final = 300
# cloudflared asks ten times, for up to a minute each.
_WAIT_SECONDS: Final = 50
_POLLS_PER_SECOND: Final = 4
_MAX_WAITING: Final = 64


class CLITransfer:
    """`/cdn-cgi/access/cli` for someone who is logged in."""

    def __init__(self, services: AccessServices) -> None:
        self._services = services

    async def answer(
        self, request: Request, application: Application, session: AppSession, snapshot: Snapshot
    ) -> Response:
        team = snapshot.organization.name
        query = query_of(request.url) or {}
        public_key = query.get("token", "")
        key = _parse_public_key(public_key)
        if key is None:
            text = "The address has no public key of 32 bytes as token: begin again with cloudflared."
            return pages.message_page("Invalid request", text, team=team, status=400)
        proof = secret_hash(f"cli\0{session.token}\0{public_key}")
        if request.method != "POST":
            return pages.transfer_page(
                application.name, session.entry.email, query=request.url.query, proof=proof, team=team
            )
        form = await read_form(request) or {}
        if not hmac.compare_digest(form.get("proof", "").encode(), proof.encode()):
            text = "The page was open for too long, or came from elsewhere. Begin again."
            return pages.message_page("This form cannot be used", text, team=team, status=403)
        tokens: dict[str, JSON] = {"app_token": session.token}
        if query.get("send_org_token") == "true":
            tokens["org_token"] = await self._organization_token(session, application, snapshot)
        await self._store_encrypted(public_key, key, json.dumps(tokens))
        text = "The program has its token. You can close this page."
        return pages.message_page("Success", text, team=team)

    async def _organization_token(self, session: AppSession, application: Application, snapshot: Snapshot) -> str:
        services = self._services
        found = await services.sessions.find_granted(session.entry.nonce, application, snapshot)
        if found is None or services.clock.now() >= found[1].expires_at:
            return ""
        return (await services.issuer.organization_token(found[1]))[0]

    async def _store_encrypted(self, public_key: str, recipient: bytes, text: str) -> None:
        private, nonce = X25519PrivateKey.generate(), secrets.token_bytes(NONCE_BYTES)
        box = nonce + seal(text.encode(), nonce=nonce, recipient=recipient, private=private)
        value: dict[str, JSON] = {
            "box": base64.b64encode(box).decode(),
            "key": base64.urlsafe_b64encode(private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode(),
        }
        expires_at = self._services.clock.now() + _TRANSFER_SECONDS
        await self._services.documents.put("transfer", secret_hash(public_key), value, expires_at=expires_at)


def _parse_public_key(text: str) -> bytes | None:
    """The public key that a program names; None for other text, and for a key that makes all secrets alike."""
    try:
        key = base64.b64decode(text, altchars=b"-_", validate=True)
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(key))
    except (binascii.Error, ValueError):
        return None
    return key


class TransferHost:
    """A Handler for login.cloudflareaccess.org: tokens wait there, encrypted for the one that asks."""

    def __init__(self, services: AccessServices) -> None:
        self._services = services
        self._waiting = 0

    async def fetch(self, request: Request, /) -> Response:
        public_key = request.url.path.removeprefix(_PATH)
        if request.method != "GET" or not request.url.path.startswith(_PATH) or _parse_public_key(public_key) is None:
            return _refuse(404, "an address here is GET /transfer/ and a public key")
        if self._waiting >= _MAX_WAITING:
            return _refuse(429, f"{_MAX_WAITING} commands wait already")
        self._waiting += 1
        try:
            return await self._wait(secret_hash(public_key))
        finally:
            self._waiting -= 1

    async def _wait(self, identifier: str) -> Response:
        for _ in range(_WAIT_SECONDS * _POLLS_PER_SECOND):
            documents = self._services.documents
            # Polling only reads: `take` would write each time.
            if await documents.get("transfer", identifier) is not None and (
                document := await documents.take("transfer", identifier)
            ):
                fields = {
                    "Content-Type": "text/plain",
                    "Cache-Control": "no-store",
                    "service-public-key": str(document.value.get("key")),
                }
                return Response(200, Headers(fields), str(document.value.get("box")).encode())
            await asyncio.sleep(1 / _POLLS_PER_SECOND)
        return _refuse(404, f"no one logged in for it within {_WAIT_SECONDS} seconds")


def _refuse(status: int, evidence: str) -> Response:
    response = Response(status)
    response.refusal_reason = RefusalReason("Access: where tokens wait for the command that asks", (evidence,))
    return response
