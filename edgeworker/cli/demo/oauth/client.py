"""The application that asks for tokens. Its OAuth is oauthlib's, a library that knows nothing of our server; what goes
over the wire is sent by the demo, so that it can be shown."""

import base64
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote_plus, urlsplit

import jwt
from oauthlib.oauth2 import OAuth2Error, WebApplicationClient

from edgeworker.cli.demo import wire

Document = Mapping[str, object]

_FORM: Final = "application/x-www-form-urlencoded"
_VERIFIER_CHARACTERS: Final = 64


class ClientRefuses(Exception):
    """The client does not take what it was sent. The text says why."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token answer. `claims` are those of the ID token, verified; empty where there is none."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires_in: int
    scope: str
    id_token: str | None = field(default=None, repr=False)
    claims: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True)
class Attempt:
    """One authorization request that was begun, until its answer has come."""

    url: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@contextmanager
def on_loopback() -> Iterator[None]:
    """oauthlib refuses plain http, and this is its one way to say that a server is on this machine."""
    name = "OAUTHLIB_INSECURE_TRANSPORT"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


class OAuthClient:
    """A confidential client with a redirect URI. It finds everything else in the issuer's metadata.

    `edge_url` is where every host of the edge is reached. Methods that get an invalid response raise
    ClientRefuses; `last` is the answer.
    """

    def __init__(self, edge_url: str, issuer: str, client_id: str, client_secret: str, redirect_uri: str) -> None:
        self.edge_url = edge_url
        self.issuer = issuer
        self.client_id = client_id
        self.redirect_uri = redirect_uri
        self.last: wire.WireResponse | None = None
        self._secret = client_secret
        self.metadata: Document = {}
        self.jwks: Document = {}

    def discover(self) -> None:
        """Reads the metadata and the keys, and believes metadata only of the issuer that was asked (RFC 8414 3.3)."""
        self.metadata = self._get(f"{self.issuer}/.well-known/openid-configuration")
        if self.metadata.get("issuer") != self.issuer:
            raise ClientRefuses(f"the metadata are of the issuer {self.metadata.get('issuer')}")
        self.jwks = self._get(self.endpoint("jwks_uri"))

    def endpoint(self, name: str) -> str:
        url = self.metadata.get(name)
        if not isinstance(url, str):
            raise ClientRefuses(f"the metadata have no {name}")
        return url

    def begin(self, scope: str, *, pkce: bool = True, **parameters: str) -> Attempt:
        """The URL to which the browser is sent."""
        library = WebApplicationClient(self.client_id)
        verifier = library.create_code_verifier(_VERIFIER_CHARACTERS)
        state, nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        if pkce:
            parameters["code_challenge"] = library.create_code_challenge(verifier, "S256")
            parameters["code_challenge_method"] = "S256"
        url, _, _ = library.prepare_authorization_request(
            self.endpoint("authorization_endpoint"),
            state=state,
            redirect_url=self.redirect_uri,
            scope=scope,
            nonce=nonce,
            **parameters,
        )
        return Attempt(url, state, nonce, verifier)

    def code_of(self, attempt: Attempt, callback_url: str) -> str:
        """The code of the browser's return; state and issuer must be right (RFC 6749 10.12, RFC 9207)."""
        try:
            found = WebApplicationClient(self.client_id).parse_request_uri_response(callback_url, state=attempt.state)
        except OAuth2Error as error:
            raise ClientRefuses(error.error or str(error)) from None
        if found.get("iss") != self.issuer:
            raise ClientRefuses(f"the answer is of the issuer {found.get('iss')}")
        return str(found["code"])

    def exchange(self, attempt: Attempt, code: str, *, verifier: str | None = None) -> Tokens:
        body = WebApplicationClient(self.client_id).prepare_request_body(
            code=code,
            redirect_uri=self.redirect_uri,
            include_client_id=False,
            code_verifier=attempt.verifier if verifier is None else verifier,
        )
        return self._tokens(body, attempt.nonce)

    def refresh(self, refresh_token: str, nonce: str | None = None) -> Tokens:
        body = WebApplicationClient(self.client_id).prepare_refresh_body(refresh_token=refresh_token)
        return self._tokens(body, nonce)

    def revoke(self, token: str) -> int:
        """The status."""
        url, headers, body = WebApplicationClient(self.client_id).prepare_token_revocation_request(
            self.endpoint("revocation_endpoint"), token
        )
        return self._post(url, body, headers).status

    def introspect(self, token: str) -> Document:
        """RFC 7662, which oauthlib has for servers only."""
        return document(self._post(self.endpoint("introspection_endpoint"), f"token={quote_plus(token)}"))

    def call(self, url: str, access_token: str) -> wire.WireResponse:
        """A GET with the access token, placed by oauthlib."""
        library = WebApplicationClient(self.client_id, access_token=access_token)
        url, headers, _ = library.add_token(url)
        return self._send("GET", url, headers or {})

    def verified(self, id_token: str, access_token: str, nonce: str | None) -> Mapping[str, object]:
        """The claims of an ID token (OpenID Connect Core 3.1.3.7 and 3.1.3.8)."""
        try:
            header = jwt.get_unverified_header(id_token)
            key = next(key for key in jwt.PyJWKSet.from_dict(dict(self.jwks)).keys if key.key_id == header.get("kid"))
            claims: dict[str, object] = jwt.decode(
                id_token,
                key,
                algorithms=[key.algorithm_name],
                audience=self.client_id,
                issuer=self.issuer,
                options={"require": ["exp", "iat", "iss", "aud", "sub"], "strict_aud": True},
            )
        except StopIteration:
            raise ClientRefuses("the ID token is signed with a key that is not published") from None
        except jwt.PyJWTError as error:
            raise ClientRefuses(f"the ID token: {error}") from None
        if nonce is not None and claims.get("nonce") != nonce:
            raise ClientRefuses("the ID token has another nonce")
        if claims.get("at_hash") != at_hash(access_token, key.algorithm_name):
            raise ClientRefuses("the ID token is of another access token: at_hash differs")
        return claims

    def _tokens(self, body: str, nonce: str | None) -> Tokens:
        answer = self._post(self.endpoint("token_endpoint"), body)
        try:
            found = WebApplicationClient(self.client_id).parse_request_body_response(answer.body.decode("utf-8"))
        except (OAuth2Error, ValueError) as error:
            raise ClientRefuses(getattr(error, "error", None) or str(error)) from None
        access_token, id_token = str(found["access_token"]), found.get("id_token")
        refresh_token = found.get("refresh_token")
        return Tokens(
            access_token,
            refresh_token if isinstance(refresh_token, str) else None,
            int(found["expires_in"]),
            str(found.get("scope", "")),
            id_token if isinstance(id_token, str) else None,
            self.verified(id_token, access_token, nonce) if isinstance(id_token, str) else {},
        )

    def _post(self, url: str, body: str, headers: Mapping[str, str] | None = None) -> wire.WireResponse:
        # RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self._secret)}"
        basic = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
        return self._send("POST", url, {**(headers or {}), "Content-Type": _FORM, "Authorization": basic}, body)

    def _get(self, url: str) -> Document:
        answer = self._send("GET", url, {})
        if answer.status != 200:
            raise ClientRefuses(f"{url} answered {answer.status}")
        return document(answer)

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> wire.WireResponse:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        content = None if body is None else body.encode()
        self.last = wire.call(self.edge_url, method, target, {**headers, "Host": parts.netloc}, content)
        return self.last


def document(answer: wire.WireResponse) -> Document:
    """The JSON object of an answer, or an empty one."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def at_hash(access_token: str, algorithm: str) -> str:
    """The left half of the hash of the token that the client received, in base64url (OpenID Connect Core 3.1.3.6)."""
    digest: bytes = jwt.get_algorithm_by_name(algorithm).compute_hash_digest(access_token.encode("ascii"))
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")
