"""Access for SaaS: the organization as the OpenID provider of applications elsewhere.

Each application has an issuer of its own, `<team>/cdn-cgi/access/sso/oidc/<client id>`, with its own `jwks`.
Source: https://developers.cloudflare.com/cloudflare-one/access-controls/applications/http-apps/saas-apps/generic-oidc-saas/
"""

from collections.abc import Mapping
from typing import Final

from edgeworker.config import JSON
from edgeworker.messages import Request, Response
from edgeworker.products.access import pages, replies, tokens
from edgeworker.products.access.authentication import bearer
from edgeworker.products.access.authorization_request import (
    ClientCredentials,
    has_secret,
    is_challenge,
    matches_challenge,
    oauth_error,
    read_client_credentials,
    redirect_back,
)
from edgeworker.products.access.config import Application, SaasSettings
from edgeworker.products.access.directory import Snapshot
from edgeworker.products.access.login import LoginFlow, read_form
from edgeworker.products.access.login_links import PREFIX, login_url, query_of
from edgeworker.products.access.opaque_tokens import OpaqueToken
from edgeworker.products.access.policy import Identity
from edgeworker.products.access.services import AccessServices

ROOT: Final = f"{PREFIX}sso/oidc/"
_CODE_SECONDS: Final = 60


class SaasProvider:
    def __init__(self, services: AccessServices, flow: LoginFlow) -> None:
        self._services = services
        self._flow = flow

    async def fetch(self, request: Request, snapshot: Snapshot) -> Response | None:
        """None for a path that is not there."""
        client_id, _, path = request.url.path.removeprefix(ROOT).partition("/")
        application = next(
            (app for app in snapshot.index.applications if app.saas is not None and app.saas.client_id == client_id),
            None,
        )
        if application is None or application.saas is None:
            return None
        match request.method, path:
            case "GET", ".well-known/openid-configuration":
                return self._metadata(application.saas, snapshot)
            case "GET", "jwks":
                return await self._jwks()
            case "GET", "authorization":
                return await self._authorize(request, application, application.saas, snapshot)
            case "POST", "token":
                return await self._token(request, application, application.saas, snapshot)
            case "GET" | "POST", "userinfo":
                return await self._userinfo(request, application, application.saas, snapshot)
            case _:
                return None

    def _build_issuer(self, saas: SaasSettings, snapshot: Snapshot) -> str:
        return f"{snapshot.organization.issuer}{ROOT}{saas.client_id}"

    def _metadata(self, saas: SaasSettings, snapshot: Snapshot) -> Response:
        issuer = self._build_issuer(saas, snapshot)
        grants: list[JSON] = ["authorization_code"]
        if saas.refresh_token_seconds is not None:
            grants.append("refresh_token")
        methods: list[JSON] = ["client_secret_basic", "client_secret_post"]
        document: dict[str, JSON] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorization",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/jwks",
            "scopes_supported": [*saas.scopes],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": grants,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": [*methods, "none"] if saas.public_client else methods,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "email", "name", "groups"],
        }
        return replies.json_reply(document, headers={"Access-Control-Allow-Origin": "*"})

    async def _jwks(self) -> Response:
        snapshot = await self._services.directory.signing()
        keys: list[JSON] = [key.jwk for key in snapshot.keys.published_keys(self._services.clock.now())]
        return replies.json_reply({"keys": keys}, headers={"Access-Control-Allow-Origin": "*"})

    async def _authorize(
        self, request: Request, application: Application, saas: SaasSettings, snapshot: Snapshot
    ) -> Response:
        query = query_of(request.url)
        team = snapshot.organization.name
        if query is None or query.get("client_id") != saas.client_id:
            text = "The client_id is missing, or a parameter comes twice."
            return pages.message_page("Invalid request", text, team=team, status=400)
        redirect_uri = query.get("redirect_uri", "")
        if redirect_uri not in saas.redirect_uris:
            text = "The redirect_uri is not one of this application."
            return pages.message_page("Invalid redirect URL", text, team=team, status=400)
        base = {"state": query.get("state", ""), "iss": self._build_issuer(saas, snapshot)}
        if query.get("response_type") != "code":
            return redirect_back(redirect_uri, {"error": "unsupported_response_type", **base})
        scopes = [scope for scope in query.get("scope", "").split() if scope in saas.scopes]
        if "openid" not in scopes:
            return redirect_back(redirect_uri, {"error": "invalid_scope", **base})
        challenge = query.get("code_challenge", "")
        if challenge and (query.get("code_challenge_method") != "S256" or not is_challenge(challenge)):
            return redirect_back(redirect_uri, {"error": "invalid_request", **base})
        if not challenge and saas.public_client and not saas.client_secret_hash:
            return redirect_back(redirect_uri, {"error": "invalid_request", **base})
        session = await self._services.session_for(request, application, snapshot)
        policy = None
        if session is not None:
            policy = self._flow.allows(session.identity, request, application, snapshot)
        if session is None or policy is None:
            if query.get("prompt") == "none":
                return redirect_back(redirect_uri, {"error": "login_required", **base})
            host = request.url.hostname
            target = login_url(
                snapshot.organization.issuer, host=host, aud=application.aud, redirect=request.url.target, meta=""
            )
            return replies.redirect(target)
        value: dict[str, JSON] = {
            "redirect_uri": redirect_uri,
            "nonce": query.get("nonce", "")[:512],
            "challenge": challenge,
            "scope": " ".join(scopes),
        }
        code = await self._services.opaque.issue(
            "saas_code", session, application.id, snapshot, seconds=_CODE_SECONDS, value=value
        )
        return redirect_back(redirect_uri, {"code": code, **base})

    async def _token(
        self, request: Request, application: Application, saas: SaasSettings, snapshot: Snapshot
    ) -> Response:
        form = await read_form(request)
        if form is None:
            return oauth_error("invalid_request", "send a form, with each parameter once")
        credentials = read_client_credentials(request.credentials.authorization, form)
        if credentials is None or not self._is_client(credentials, saas):
            return oauth_error("invalid_client", "the client is not known, or its secret is wrong", status=401)
        match form.get("grant_type"):
            case "authorization_code":
                code = await self._services.opaque.take("saas_code", form.get("code", ""), snapshot)
                if code is None or code.application_id != application.id:
                    return oauth_error("invalid_grant", "the code is not valid; it counts once, for a minute")
                challenge = str(code.value.get("challenge", ""))
                if form.get("redirect_uri") != code.value.get("redirect_uri"):
                    return oauth_error("invalid_grant", "the redirect_uri is not that of the authorization request")
                verifier = form.get("code_verifier", "")
                if (challenge or verifier) and not (challenge and matches_challenge(verifier, challenge)):
                    return oauth_error("invalid_grant", "the code_verifier does not fit")
                if not credentials.secret and not challenge:
                    return oauth_error("invalid_grant", "a public client needs PKCE")
                return await self._issue(code, application, saas, snapshot)
            case "refresh_token" if saas.refresh_token_seconds is not None:
                refresh = await self._services.opaque.take("saas_refresh", form.get("refresh_token", ""), snapshot)
                if refresh is None or refresh.application_id != application.id:
                    return oauth_error("invalid_grant", "the refresh token is not valid; it counts once")
                if self._flow.allows(refresh.session.identity, request, application, snapshot) is None:
                    return oauth_error("invalid_grant", "no policy allows this person any more")
                return await self._issue(refresh, application, saas, snapshot)
            case _:
                return oauth_error("unsupported_grant_type", "use authorization_code")

    def _is_client(self, credentials: ClientCredentials, saas: SaasSettings) -> bool:
        if credentials.client_id != saas.client_id:
            return False
        return has_secret(credentials, saas.client_secret_hash) if credentials.secret else saas.public_client

    async def _issue(
        self, proof: OpaqueToken, application: Application, saas: SaasSettings, snapshot: Snapshot
    ) -> Response:
        services = self._services
        snapshot = await services.directory.signing()
        scopes = str(proof.value.get("scope", "")).split()
        now = services.clock.now()
        claims: dict[str, JSON] = {
            "iss": self._build_issuer(saas, snapshot),
            "aud": saas.client_id,
            "iat": now,
            "exp": now + saas.access_token_seconds,
            "auth_time": proof.session.identity.logged_in_at,
            **_build_claims(proof.session.identity, scopes, saas),
        }
        if nonce := proof.value.get("nonce"):
            claims["nonce"] = nonce
        kept: dict[str, JSON] = {"scope": " ".join(scopes)}
        access = await services.opaque.issue(
            "saas_access", proof.session, application.id, snapshot, seconds=saas.access_token_seconds, value=kept
        )
        answer: dict[str, JSON] = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": saas.access_token_seconds,
            "id_token": tokens.sign(claims, snapshot.keys.current),
            "scope": " ".join(scopes),
        }
        if saas.refresh_token_seconds is not None:
            answer["refresh_token"] = await services.opaque.issue(
                "saas_refresh", proof.session, application.id, snapshot, seconds=saas.refresh_token_seconds, value=kept
            )
        return replies.json_reply(answer, headers={"Pragma": "no-cache"})

    async def _userinfo(
        self, request: Request, application: Application, saas: SaasSettings, snapshot: Snapshot
    ) -> Response:
        found = await self._services.opaque.find("saas_access", bearer(request), snapshot)
        if found is None or found.application_id != application.id:
            headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return replies.json_reply({"error": "invalid_token"}, status=401, headers=headers)
        scopes = str(found.value.get("scope", "")).split()
        return replies.json_reply(_build_claims(found.session.identity, scopes, saas))


def _build_claims(identity: Identity, scopes: list[str], saas: SaasSettings) -> dict[str, JSON]:
    claims: dict[str, JSON] = {"sub": identity.user_uuid}
    if "email" in scopes:
        claims["email"] = identity.email
        claims["email_verified"] = True
    if "profile" in scopes:
        claims["name"] = identity.name or identity.email
    if "groups" in scopes:
        claims["groups"] = list(identity.groups)
    known: Mapping[str, JSON] = {**identity.oidc_fields, **identity.saml_attributes}
    for name, source in saas.custom_claims.items():
        if source in known and name not in claims:
            claims[name] = known[source]
    return claims
