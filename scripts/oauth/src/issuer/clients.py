"""Registered clients: their records, and the check of their secrets. Pure.

A client is a JSON record with the names of RFC 7591, in the variable CLIENTS or in USERS under `key(client_id)`. It has
hashes of secrets, never secrets; with two of them a secret can be replaced without an interruption.
"""

import difflib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from issuer import digests, redirect_uris

AUTH_METHODS: Final = ("client_secret_basic", "client_secret_post", "none", "private_key_jwt")
GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")
TOKEN_FORMATS: Final = ("split", "jwt", "opaque")
ALGORITHMS: Final = ("RS256", "ES256")
CONSENTS: Final = ("ask", "skip")

# The prefix of users' ids. A client's id can be the `sub` of a token and must never be a user's (RFC 9700, 4.15).
USER_ID_PREFIX: Final = "u_"

MAX_SECRET_BYTES: Final = 1024
_MAX_ITEMS: Final = 100
_MAX_NAME: Final = 200
_MAX_URL: Final = 2048

_CLIENT_ID: Final = re.compile(r"[\x21-\x7e]{1,256}")
_SECRET_HASH: Final = re.compile(r"sha256:[A-Za-z0-9_-]{43}")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")  # RFC 6749 section 3.3
_REGISTRATION: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RESOURCE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s#\x00-\x1f\x7f]{1,2000}")  # RFC 8707: absolute, no fragment
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class BadClient(ValueError):
    """An invalid client record. `faults` has one sentence for each fault."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """`secret_hashes` are results of `hash_secret`. `audience` are the resources whose API this client is: it may
    introspect tokens for them. `resources` are those that it may request tokens for; empty means all of the server's.
    `localhost_redirects` allows `http://localhost` in redirect URIs. `registration` is random, made when the client is
    added, so that one that was deleted and added again has nothing of the one before."""

    client_id: str
    client_name: str = ""
    secret_hashes: tuple[str, ...] = field(default=(), repr=False)
    token_endpoint_auth_method: str = "client_secret_basic"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code",)
    scope: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    token_format: str = "split"
    access_token_alg: str = "RS256"
    id_token_signed_response_alg: str = "RS256"
    require_pkce: bool = True
    consent: str = "ask"
    localhost_redirects: bool = False
    jwks: Mapping[str, object] | None = None
    disabled: bool = False
    registration: str = ""

    @property
    def is_public(self) -> bool:
        return self.token_endpoint_auth_method == "none"


def key(client_id: str) -> str:
    """The key of its record in USERS."""
    return "client:" + digests.digest(client_id)


def hash_secret(secret: str) -> str:
    """The stored form of a secret. A plain hash is safe for random secrets only, so let them be generated."""
    return "sha256:" + digests.digest(secret)


def secret_matches(client: RegisteredClient, secret: str) -> bool:
    """Compares with every hash of the client, in a time that does not depend on which one matches."""
    if len(secret) > MAX_SECRET_BYTES:
        return False
    given = hash_secret(secret)
    found = False
    for known in client.secret_hashes:
        found |= hmac.compare_digest(known, given)
    return found


def parse(record: Mapping[str, object]) -> RegisteredClient:
    """The client that a record describes.

    Raises:
        BadClient: with all faults.
    """
    faults: list[str] = []
    values: dict[str, object] = {}
    for name, value in record.items():
        reader = _READERS.get(name)
        if reader is None:
            faults.append(_unknown(name))
            continue
        try:
            values[name] = reader(value)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    if "client_id" not in record:
        faults.append('client_id: it is missing; give the client a name like "shop"')
    if faults:
        raise BadClient(faults)
    client = RegisteredClient(**values)  # type: ignore[arg-type]  # each reader returns what its field holds
    if faults := _contradictions(client):
        raise BadClient(faults)
    return client


def record(client: RegisteredClient) -> dict[str, object]:
    """The record of which `parse` makes this client again; default values are left out."""
    made: dict[str, object] = {}
    for member in fields(client):
        value = getattr(client, member.name)
        if value == member.default:
            continue
        match value:
            case tuple() if member.name == "scope":
                made[member.name] = " ".join(value)
            case tuple():
                made[member.name] = list(value)
            case Mapping():
                made[member.name] = dict(value)
            case _:
                made[member.name] = value
    return made


def _contradictions(client: RegisteredClient) -> list[str]:
    """Faults of several members together."""
    faults = []
    method = client.token_endpoint_auth_method
    if method.startswith("client_secret") and not client.secret_hashes:
        faults.append(f"secret_hashes: {method} needs at least one hash of a secret")
    if not method.startswith("client_secret") and client.secret_hashes:
        faults.append(f"secret_hashes: a client with token_endpoint_auth_method {method} has no secret; leave it out")
    if method == "private_key_jwt" and client.jwks is None:
        faults.append("jwks: private_key_jwt needs the client's public keys")
    if client.is_public and "client_credentials" in client.grant_types:
        faults.append("grant_types: client_credentials needs a client that authenticates; choose another method")
    if client.is_public and client.audience:
        faults.append("audience: an API that introspects must authenticate; choose another token_endpoint_auth_method")
    if client.is_public and not client.require_pkce:
        faults.append("require_pkce: a public client cannot do without PKCE; leave it out")
    if "authorization_code" in client.grant_types and not client.redirect_uris:
        faults.append("redirect_uris: authorization_code needs at least one; or choose other grant_types")
    if "refresh_token" in client.grant_types and "authorization_code" not in client.grant_types:
        faults.append("grant_types: refresh_token comes with authorization_code only")
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        for uri in getattr(client, name):
            try:
                redirect_uris.check(uri, localhost=client.localhost_redirects)
            except redirect_uris.BadRedirectURI as error:
                faults.append(f"{name}: {error}")
    return faults


def _unknown(name: str) -> str:
    if name == "client_secret":
        return "client_secret: secrets are not stored; put its hash into secret_hashes"
    near = difflib.get_close_matches(name, _READERS, n=1)
    return f"{name!r}: there is no such member" + (f"; did you mean {near[0]}?" if near else "")


def _client_id(value: object) -> str:
    if not isinstance(value, str) or not _CLIENT_ID.fullmatch(value):
        raise ValueError(f"{value!r} is not 1 to 256 printable ASCII characters without spaces")
    if value.startswith(USER_ID_PREFIX):
        raise ValueError(f'{value!r} begins with "{USER_ID_PREFIX}", as only the ids of users do')
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MAX_NAME or _CONTROLS.search(value):
        raise ValueError(f"{value!r} is not a string of at most {_MAX_NAME} characters in one line")
    return value


def _registration(value: object) -> str:
    if not isinstance(value, str) or not _REGISTRATION.fullmatch(value):
        raise ValueError(f'{value!r} is not 1 to 64 letters, digits, "-" and "_"; leave it out')
    return value


def _secret_hashes(value: object) -> tuple[str, ...]:
    items = _items(value)
    if not all(_SECRET_HASH.fullmatch(item) for item in items):
        # Not quoted: it may be a secret in the wrong place.
        raise ValueError('an item is not a hash of a secret, which is "sha256:" and 43 characters of base64url')
    return items


def _items(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"{value!r} is not a list of strings")
    if len(value) > _MAX_ITEMS:
        raise ValueError(f"{len(value)} items are more than {_MAX_ITEMS}")
    if len(set(value)) != len(value):
        raise ValueError(f"{value!r} has an item twice")
    return tuple(value)


def _uris(value: object) -> tuple[str, ...]:
    items = _items(value)
    if any(len(item) > _MAX_URL for item in items):
        raise ValueError(f"an item is longer than {_MAX_URL} characters")
    return items


def _choices(known: tuple[str, ...]) -> Callable[[object], tuple[str, ...]]:
    def read(value: object) -> tuple[str, ...]:
        items = _items(value)
        for item in items:
            if item not in known:
                raise ValueError(f"{item!r} is not one of {', '.join(known)}")
        if not items:
            raise ValueError(f"the list is empty; choose from {', '.join(known)}")
        return items

    return read


def _choice(known: tuple[str, ...]) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"{value!r} is not one of {', '.join(known)}")
        return value

    return read


def _scope(value: object) -> tuple[str, ...]:
    items = _items(value.split(" ") if isinstance(value, str) and value else [] if value == "" else value)
    for item in items:
        if not _SCOPE.fullmatch(item):
            raise ValueError(f'{item!r} is not a scope; use printable ASCII without spaces, " and \\')
    return items


def _resources(value: object) -> tuple[str, ...]:
    items = _items(value)
    for item in items:
        if not is_resource(item):
            raise ValueError(f'{item!r} is not an absolute URI without a fragment, like "https://api.example.com"')
    return items


def is_resource(text: str) -> bool:
    """Whether it is a valid resource: an absolute URI without a fragment (RFC 8707 section 2)."""
    return _RESOURCE.fullmatch(text) is not None


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _jwks(value: object) -> Mapping[str, object] | None:
    if value is None:
        return None
    keys = value.get("keys") if isinstance(value, Mapping) else None
    if not isinstance(keys, list | tuple) or not keys or not all(isinstance(item, Mapping) for item in keys):
        raise ValueError('it is not a JWK set: an object with a list "keys" of objects')
    if any(item.get("kty") == "oct" or not _PRIVATE.isdisjoint(item) for item in keys):
        raise ValueError("it holds a private or symmetric key; only the client may have that")
    return {"keys": [dict(item) for item in keys]}


_READERS: Final[dict[str, Callable[[object], object]]] = {
    "client_id": _client_id,
    "client_name": _name,
    "secret_hashes": _secret_hashes,
    "token_endpoint_auth_method": _choice(AUTH_METHODS),
    "redirect_uris": _uris,
    "post_logout_redirect_uris": _uris,
    "grant_types": _choices(GRANT_TYPES),
    "scope": _scope,
    "resources": _resources,
    "audience": _resources,
    "token_format": _choice(TOKEN_FORMATS),
    "access_token_alg": _choice(ALGORITHMS),
    "id_token_signed_response_alg": _choice(ALGORITHMS),
    "require_pkce": _flag,
    "consent": _choice(CONSENTS),
    "localhost_redirects": _flag,
    "jwks": _jwks,
    "disabled": _flag,
    "registration": _registration,
}
