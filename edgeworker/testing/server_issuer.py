"""`edge.issuer` of an edge that runs the OAuth server of scripts/oauth: its tokens are that server's own.

They are decided by the server's token procedure, signed with its SIGNING_KEYS, published where its gateway looks, and
indexed where its own endpoints look, so that introspection, revocation and userinfo know them.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Final

import jwt

from edgeworker.bindings import KVBinding
from edgeworker.clock import Clock
from edgeworker.config import JSON, Config
from edgeworker.host.issuer_scripts import ClientRecords, SigningKeys, UserRecords, issuer_module, variables_of
from edgeworker.testing.issuer import Algorithm, IssuedToken, IssuerKey, TokenIssuer, apply_changes, sign
from edgeworker.testing.kv_access import KVAccess
from edgeworker.testing.origin import Origin

if TYPE_CHECKING:
    from issuer.clients import RegisteredClient
    from issuer.keys import ServerKeySet
    from issuer.settings import IssuerSettings
    from issuer.token_issuance import IssuedAccessToken

CLIENT_ID: Final = "edgeworker-tests"
_SCRIPT: Final = "token_worker.py"
_MIN_TTL_SECONDS: Final = 60  # KV's


@dataclass(frozen=True, slots=True)
class Server:
    """The token worker of a configuration. `spaces` are the ids of its KV namespaces by binding."""

    settings: "IssuerSettings"
    ring: "ServerKeySet" = field(repr=False)
    spaces: Mapping[str, str]


def server_of(config: Config) -> Server | None:
    """The OAuth server that a configuration runs, if it does.

    Raises ValueError where its settings or keys cannot be used; the worker itself would not load with them.
    """
    for worker in config.workers:
        if worker.main is not None and worker.main.name == _SCRIPT and (worker.main.parent / "issuer").is_dir():
            env = variables_of(worker)
            spaces = {each.name: each.namespace_id for each in worker.bindings if isinstance(each, KVBinding)}
            ring = SigningKeys().parse(str(getattr(env, "SIGNING_KEYS", "")))
            return Server(issuer_module("settings").read(env), ring, spaces)
    return None


@cache
def signing_keys() -> str:
    """A text for the secret SIGNING_KEYS, made once a process: for tests of a project that has no keys at hand."""
    keys = SigningKeys()
    return keys.dump(keys.new(("RS256", "ES256"), now=0))


class OAuthServerIssuer(TokenIssuer):
    """An TokenIssuer whose tokens the server knows as its own.

    They are issued to the client `client_id`, with the secret `client_secret`, which is registered for this: with them
    a test introspects and revokes. `add_user` makes a user for `sub`.
    """

    def __init__(self, server: Server, clock: Clock, space: Callable[[str], KVAccess], origin: Origin) -> None:
        """`space` gives the namespace with an id."""

        def publish(namespace: str, key: str, value: str, expiration: int) -> None:
            space(namespace).put(key, value, expiration=expiration)

        super().__init__(clock, publish, origin, url=server.settings.issuer, audience=server.settings.resources[0])
        self.namespace = server.spaces.get("SPLIT", "")
        self.client_id = CLIENT_ID
        self.client_secret = secrets.token_urlsafe(32)
        self._server = server
        self._space = space
        self._client = self._register_client()

    @property
    def jwks_url(self) -> str:
        return f"{self.url}/jwks"

    def key(self, algorithm: Algorithm) -> IssuerKey:
        kept = issuer_module("keys").signer(self._server.ring, algorithm, now=self._clock.now())
        return IssuerKey(algorithm, kept.kid, kept.private, kept.public_jwk)

    def add_user(self, email: str, password: str = "", *, name: str = "", verified: bool = True) -> str:
        """Registers a user and returns the id, which is `sub` in tokens. Without a password the user cannot log in."""
        users = UserRecords()
        user = users.parse(
            {
                "t": "user",
                "id": users.new_id(),
                "email": email,
                "email_verified": verified,
                "name": name,
                "password": users.hash_password(password or secrets.token_urlsafe(), scheme="scrypt"),
                "created": self._clock.now(),
            }
        )
        space = self._space(self._server.spaces["USERS"])
        space.seed({users.key(user.email): _plain(users.record(user)), users.id_key(user.id): users.key(user.email)})
        return user.id

    def token(
        self,
        *,
        sub: str = "alice",
        split: bool = False,
        ttl_seconds: int = 300,
        aud: str | Sequence[str] | None = None,
        scope: str | None = None,
        algorithm: Algorithm = "RS256",
        claims: Mapping[str, JSON] | None = None,
        headers: Mapping[str, JSON] | None = None,
        publish: bool = True,
    ) -> IssuedToken:
        """See TokenIssuer.token. `publish` False leaves it out of the gateway's namespace."""
        token_issuance, now = issuer_module("token_issuance"), self._clock.now()
        client = replace(self._client, token_format="split" if split else "jwt", access_token_alg=algorithm)
        order = token_issuance.AuthorizedAccess(
            client=client,
            sub=sub,
            scope=() if scope is None else tuple(scope.split()),
            audience=tuple([self.audience] if aud is None else [aud] if isinstance(aud, str) else aud),
            now=now,
            user_id=sub if UserRecords().is_id(sub) else None,
        )
        settings = replace(self._server.settings, access_token_ttl_seconds=ttl_seconds)
        issued: IssuedAccessToken = token_issuance.issue(order, settings, self._server.ring)
        if claims is not None or headers is not None:
            issued = self._alter(issued, algorithm, claims, headers)
        assert issued.whole is not None  # "split" and "jwt" have one
        records = issuer_module("records")
        ends = max(issued.record.expires_at, now + _MIN_TTL_SECONDS)
        self._publish(self._server.spaces["TOKENS"], records.access_key(issued.text), records.dump(issued.record), ends)
        if not split:
            token = IssuedToken(issued.whole, False)
        else:
            key = issued.record.publish_key
            token = IssuedToken(issued.whole, True, key, issued.published)
            if publish and key is not None and issued.published is not None:
                self._publish(self.namespace, key, issued.published, ends)
        self.tokens.append(token)
        return token

    def issue(self, text: str, *, split: bool, publish: bool, expires_at: int | None = None) -> IssuedToken:
        token = super().issue(text, split=False, publish=False)
        value, _, signature = text.rpartition(".")
        if not split or not value or not signature:
            return token
        key = issuer_module("token_issuance").key_of(signature, self._server.settings)
        self.tokens[-1] = token = IssuedToken(text, True, key, value)
        if publish:
            self._publish(self.namespace, key, value, max(expires_at or 0, self._clock.now() + _MIN_TTL_SECONDS))
        return token

    def _alter(
        self,
        issued: "IssuedAccessToken",
        algorithm: Algorithm,
        claims: Mapping[str, JSON] | None,
        headers: Mapping[str, JSON] | None,
    ) -> "IssuedAccessToken":
        """The same token with other claims or header fields, signed by the same key."""
        assert issued.whole is not None
        key = self.key(algorithm)
        payload: dict[str, JSON] = jwt.decode(issued.whole, options={"verify_signature": False})
        whole = sign(apply_changes(payload, claims), key, headers=apply_changes(self.header(key), headers))
        if issued.published is None:
            return replace(issued, text=whole, whole=whole)
        value, _, signature = whole.rpartition(".")
        publish_key = issuer_module("token_issuance").key_of(signature, self._server.settings)
        record = replace(issued.record, publish_key=publish_key)
        return replace(issued, text=signature, record=record, whole=whole, published=value)

    def _register_client(self) -> "RegisteredClient":
        clients = ClientRecords()
        record = {
            "client_id": self.client_id,
            "secret_hashes": [clients.hash_secret(self.client_secret)],
            "grant_types": ["client_credentials"],
            "scope": " ".join(self._server.settings.scopes),
        }
        self._space(self._server.spaces["USERS"]).seed({clients.key(self.client_id): _plain(record)})
        return clients.parse(record)


def _plain(record: Mapping[str, object]) -> JSON:
    """JSON values are what records hold."""
    plain: JSON = json.loads(json.dumps(record))
    return plain
