"""Service tokens: how they come with a request, and which of them are valid. Pure.

A secret is `cfast_`, 40 letters and digits, and 8 hexadecimal digits that a scanner can check; older ones are 64
hexadecimal digits. Both are kept as SHA-256 and compared in constant time.
"""

import hashlib
import hmac
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from edgeworker.config import JSON
from edgeworker.messages import Credentials, Headers
from edgeworker.products.access.config import Application, ServiceToken
from edgeworker.products.access.objects import hash_secret
from edgeworker.strict_json import loads

_PREFIX: Final = "cfast_"
_ALPHABET: Final = string.ascii_letters + string.digits
_MAX_HEADER: Final = 1024
_NO_SECRET: Final = hash_secret("")


@dataclass(frozen=True, slots=True)
class PresentedCredential:
    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MalformedCredential:
    """Half of a credential, or two of them."""

    text: str


TokenProblem = Literal["unknown", "wrong secret", "expired", "disabled"]


@dataclass(frozen=True, slots=True)
class ValidToken:
    token: ServiceToken


@dataclass(frozen=True, slots=True)
class RefusedToken:
    """`token` is known where the Client ID is: only then a refusal is logged."""

    problem: TokenProblem
    token: ServiceToken | None


def read_credential(
    credentials: Credentials, headers: Headers, application: Application
) -> PresentedCredential | MalformedCredential | None:
    """What a request shows: the two standard header fields, or the one that the application names.

    A header that holds no credential at all ("Authorization: Basic ...") shows none.
    """
    standard = credentials.client_id is not None or credentials.client_secret is not None
    single = _read_configured_header(headers, application)
    if standard and single is not None:
        return MalformedCredential("both the standard header fields and the configured one")
    if single is not None:
        return single
    if not standard:
        return None
    if not credentials.client_id or not credentials.client_secret:
        return MalformedCredential("CF-Access-Client-Id and CF-Access-Client-Secret go together")
    return PresentedCredential(credentials.client_id, credentials.client_secret)


def _read_configured_header(
    headers: Headers, application: Application
) -> PresentedCredential | MalformedCredential | None:
    if application.service_token_header is None:
        return None
    values = headers.get_all(application.service_token_header)
    credentials = [value for value in values if value.lstrip().startswith("{")]
    if not credentials:
        return None
    if len(values) > 1:
        return MalformedCredential("the configured header came twice")
    try:
        value: JSON = loads(credentials[0][:_MAX_HEADER])
    except (ValueError, RecursionError):
        return MalformedCredential("the configured header is not JSON")
    found = {name.lower(): item for name, item in value.items()} if isinstance(value, dict) else {}
    match found.get("cf-access-client-id"), found.get("cf-access-client-secret"):
        case str(client_id), str(client_secret) if client_id and client_secret:
            return PresentedCredential(client_id, client_secret)
    return MalformedCredential('the configured header has no "cf-access-client-id" and "cf-access-client-secret"')


def check_credential(
    credential: PresentedCredential, tokens: Mapping[str, ServiceToken], now: int
) -> ValidToken | RefusedToken:
    """`tokens` are by Client ID."""
    token = tokens.get(credential.client_id)
    given = hash_secret(credential.client_secret)
    expected = _NO_SECRET if token is None else token.secret_hash
    is_current = hmac.compare_digest(given, expected)
    # Compared in any case, so that the time taken does not tell which one was meant.
    is_previous = hmac.compare_digest(given, _NO_SECRET if token is None else token.previous_hash or _NO_SECRET)
    if token is None:
        return RefusedToken("unknown", None)
    if not is_current and not (is_previous and token.previous_hash and now < token.previous_until):
        return RefusedToken("wrong secret", token)
    if (problem := find_problem(token, now)) is not None:
        return RefusedToken(problem, token)
    return ValidToken(token)


def find_problem(token: ServiceToken, now: int) -> TokenProblem | None:
    """Why a token opens nothing now, its secret aside."""
    if not token.enabled:
        return "disabled"
    if token.expires_at is not None and now >= token.expires_at:
        return "expired"
    return None


def new_client_id() -> str:
    return f"{secrets.token_hex(16)}.access"


def new_secret() -> str:
    body = "".join(secrets.choice(_ALPHABET) for _ in range(40))
    return f"{_PREFIX}{body}{checksum(body)}"


def checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:8]
