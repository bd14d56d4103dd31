"""A login at an OpenID provider: an authentication request with state, nonce and PKCE, a code, and an ID token.

The state is a document that is valid once, in the browser that it was made for. Source: OpenID Connect Core 1.0.
"""

import base64
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

import jwt

from edgeworker.config import JSON
from edgeworker.errors import OriginError
from edgeworker.messages import URL, Body, BodyTooLarge, Headers, InvalidURL, Request, Response
from edgeworker.products.access import cookies, pages, replies
from edgeworker.products.access.config import IdentityProvider, OIDCSettings
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.issuing import secret_hash
from edgeworker.products.access.login import LoginFlow, RoundTrip
from edgeworker.products.access.login_links import PREFIX, query_of
from edgeworker.products.access.policy import Identity
from edgeworker.products.access.services import AccessServices
from edgeworker.products.access.sessions import is_email

_log = logging.getLogger(__name__)

# https://developers.cloudflare.com/cloudflare-one/integrations/identity-providers/generic-oidc/
ALGORITHMS: Final = ("RS256", "RS512", "PS512", "ES256", "ES384", "ES512")
_STATE_SECONDS: Final = 600
_MAX_RESPONSE_BYTES: Final = 262_144
_MAX_CLAIM: Final = 4096
_LEEWAY_SECONDS: Final = 60


class ProviderFailed(Exception):
    """The identity provider did not give an identity; the text is for a person and holds no secret. `detail` is for the
    log alone: what it says of this network is not for everyone who opens a login page."""

    def __init__(self, text: str, *, detail: str = "") -> None:
        super().__init__(text)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class _StartedLogin:
    """The document that was stored when the browser was redirected to the provider."""

    value: Mapping[str, JSON]
    provider_id: str
    browser: str  # hash of CF_Session
    nonce: str
    verifier: str


class OIDCLogin:
    def __init__(self, services: AccessServices, flow: LoginFlow) -> None:
        self._services = services
        self._flow = flow

    async def begin(
        self, trip: RoundTrip, provider: IdentityProvider, oidc: OIDCSettings, snapshot: Snapshot
    ) -> Response:
        """Redirect to the provider."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        value: dict[str, JSON] = {**trip.document(provider), "nonce": nonce, "verifier": verifier}
        expires_at = self._services.clock.now() + _STATE_SECONDS
        await self._services.documents.put("idp_state", secret_hash(state), value, expires_at=expires_at)
        query = {
            "response_type": "code",
            "client_id": oidc.client_id,
            "redirect_uri": self._callback_url(snapshot),
            "scope": " ".join(oidc.scopes),
            "state": state,
            "nonce": nonce,
        }
        if oidc.pkce:
            digest = hashlib.sha256(verifier.encode()).digest()
            query["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            query["code_challenge_method"] = "S256"
        separator = "&" if "?" in oidc.auth_url else "?"
        return replies.redirect(f"{oidc.auth_url}{separator}{urlencode(query)}")

    def _callback_url(self, snapshot: Snapshot) -> str:
        return f"{snapshot.organization.issuer}{PREFIX}callback"

    async def finish(self, request: Request, snapshot: Snapshot) -> Response:
        """GET /cdn-cgi/access/callback: back from the provider."""
        query = query_of(request.url) or {}
        team = snapshot.organization.name
        begun = await self._take_state(query.get("state", ""))
        shown = [secret_hash(value) for value in cookies.values_of(request.credentials.cookie, cookies.SESSION)]
        # Only the browser that began the login may finish it: otherwise login CSRF would be possible.
        if begun is None or not any(hmac.compare_digest(item, begun.browser) for item in shown):
            text = "It took too long, was finished already, or was begun in another browser."
            return pages.message_page("This login cannot be finished", text, team=team, status=403)
        provider = snapshot.providers.get(begun.provider_id)
        try:
            if provider is None or provider.oidc is None:
                raise ProviderFailed("the identity provider was removed meanwhile")
            identity = await self._obtain_identity(query, begun, provider, provider.oidc, snapshot)
        except ProviderFailed as error:
            name, why = provider.name if provider else begun.provider_id, f": {error.detail}" if error.detail else ""
            _log.warning("Access: login at %s failed: %s%s", name, error, why)
            return await self._flow.fail_round_trip(request, begun.value, str(error), snapshot)
        return await self._flow.end_round_trip(request, begun.value, identity, snapshot)

    async def _take_state(self, state: str) -> _StartedLogin | None:
        document = await self._services.documents.take("idp_state", secret_hash(state)) if state else None
        if document is None:
            return None
        values = [document.value.get(name) for name in ("provider", "browser", "nonce", "verifier")]
        return _StartedLogin(document.value, *(str(value) for value in values))

    async def _obtain_identity(
        self,
        query: Mapping[str, str],
        begun: _StartedLogin,
        provider: IdentityProvider,
        oidc: OIDCSettings,
        snapshot: Snapshot,
    ) -> Identity:
        """Raises ProviderFailed."""
        if "error" in query:
            raise ProviderFailed(f"the provider answered {query['error'][:100]!r}")
        if oidc.issuer and query.get("iss", oidc.issuer) != oidc.issuer:
            raise ProviderFailed("the answer is of another issuer")
        code = query.get("code", "")
        if not code:
            raise ProviderFailed("the provider gave no code")
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback_url(snapshot),
            "client_id": oidc.client_id,
        }
        if oidc.pkce:
            fields["code_verifier"] = begun.verifier
        answer = await self._post_token_request(oidc, fields)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise ProviderFailed("the token endpoint gave no ID token")
        claims = await self._verify_id_token(id_token, oidc, begun.nonce)
        if oidc.email_claim_name not in claims:
            claims = {**await self._fetch_userinfo(oidc, answer.get("access_token"), claims), **claims}
        return identity_of_claims(claims, provider, oidc)

    async def _fetch_userinfo(
        self, oidc: OIDCSettings, access_token: JSON, claims: Mapping[str, JSON]
    ) -> Mapping[str, JSON]:
        """More of the same person, from a provider whose ID tokens say little (OpenID Connect Core 1.0, 5.4): its
        address is configured, or in the metadata of the issuer. Raises ProviderFailed."""
        accept = {"Accept": "application/json"}
        address = oidc.userinfo_url
        if not address and oidc.issuer:
            metadata = await self._fetch("GET", f"{oidc.issuer}/.well-known/openid-configuration", Headers(accept))
            if metadata.get("issuer") == oidc.issuer:
                address = str(metadata.get("userinfo_endpoint") or "")
        if not address or not isinstance(access_token, str) or not access_token.isascii():
            return {}
        info = await self._fetch("GET", address, Headers({**accept, "Authorization": f"Bearer {access_token}"}))
        if info.get("sub") != claims.get("sub"):
            raise ProviderFailed("the provider's userinfo is of someone else")
        return info

    async def _post_token_request(self, oidc: OIDCSettings, fields: dict[str, str]) -> Mapping[str, JSON]:
        headers = Headers([("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")])
        if oidc.client_secret:
            # RFC 6749 2.3.1: both halves are form-encoded before they are joined.
            pair = f"{quote(oidc.client_id, safe='')}:{quote(oidc.client_secret, safe='')}"
            headers.set("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}")
        return await self._fetch("POST", oidc.token_url, headers, urlencode(fields).encode())

    async def _fetch(self, method: str, address: str, headers: Headers, body: bytes = b"") -> Mapping[str, JSON]:
        """A JSON object from a 200. Raises ProviderFailed."""
        try:
            url = URL.parse(address)
            headers.set("Host", url.host)
            if body:
                headers.set("Content-Length", str(len(body)))
            request = Request(method, url, headers, Body(body) if body else None, redirect="error")
            response = await self._services.internet.fetch(request)
            content = b"" if response.body is None else await response.body.read(limit=_MAX_RESPONSE_BYTES)
        except (InvalidURL, OriginError, BodyTooLarge, OSError) as error:
            raise ProviderFailed(f"{address} could not be fetched", detail=str(error)) from error
        if response.status != 200:
            raise ProviderFailed(f"{address} answered {response.status}")
        try:
            value: JSON = json.loads(content)
        except (ValueError, RecursionError):
            raise ProviderFailed(f"{address} answered no JSON") from None
        if not isinstance(value, dict):
            raise ProviderFailed(f"{address} answered no JSON object")
        return value

    async def _verify_id_token(self, id_token: str, oidc: OIDCSettings, nonce: str) -> Mapping[str, JSON]:
        """The claims of an ID token: signed by the provider, for us, for this login. Raises ProviderFailed."""
        jwks = await self._fetch("GET", oidc.certs_url, Headers({"Accept": "application/json"}))
        try:
            header = jwt.get_unverified_header(id_token)
            keys = [
                key
                for key in jwt.PyJWKSet.from_dict(dict(jwks)).keys
                if key.key_type in ("RSA", "EC")
                and key.public_key_use in (None, "sig")
                and ("kid" not in header or key.key_id == header["kid"])
            ]
            if len(keys) != 1:
                raise ProviderFailed("the provider's key set has not exactly one key for its ID token")
            claims: dict[str, JSON] = jwt.decode(
                id_token,
                keys[0],
                algorithms=list(ALGORITHMS),
                audience=oidc.client_id,
                issuer=oidc.issuer or None,
                options={
                    "require": ["exp", "iat", "iss", "aud", "sub"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.PyJWTError as error:
            raise ProviderFailed(f"the provider's ID token is refused ({type(error).__name__})") from None
        now, expires_at = self._services.clock.now(), claims.get("exp")
        if isinstance(expires_at, bool) or not isinstance(expires_at, int) or now >= expires_at + _LEEWAY_SECONDS:
            raise ProviderFailed("the provider's ID token has expired")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise ProviderFailed("the provider's ID token is of another login")
        return claims


def identity_of_claims(claims: Mapping[str, JSON], provider: IdentityProvider, oidc: OIDCSettings) -> Identity:
    """Only a claim named `groups` makes groups; every other configured claim is one of the `oidc_fields`, and goes into
    tokens as `custom`. Raises ProviderFailed."""
    email = claims.get(oidc.email_claim_name)
    if not isinstance(email, str) or not is_email(email.strip()):
        raise ProviderFailed(f'the provider gave no e-mail address as "{oidc.email_claim_name}"')
    if oidc.email_claim_name == "email" and claims.get("email_verified") is False:
        raise ProviderFailed("the provider has not verified the e-mail address")
    groups: list[JSON] = []
    fields: dict[str, JSON] = {}
    custom: dict[str, JSON] = {}
    for name in oidc.claims:
        value = claims.get(name)
        if value is None or len(json.dumps(value)) > _MAX_CLAIM:
            continue
        custom[name] = value
        if name.lower() == "groups":
            groups = value if isinstance(value, list) else [value]
        else:
            fields[name] = value
    full_name, amr = claims.get("name"), claims.get("amr")
    return Identity(
        email=email.strip().lower(),
        user_uuid="",
        provider_id=provider.id,
        provider_type=provider.type,
        name=full_name if isinstance(full_name, str) else "",
        groups=tuple(groups),
        oidc_fields=fields,
        custom=custom,
        amr=tuple(item for item in amr if isinstance(item, str)) if isinstance(amr, list) else (),
    )
