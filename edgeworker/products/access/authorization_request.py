"""What the two authorization servers of Access have in common: OAuth parameters, PKCE, client authentication. Pure.

Sources: RFC 6749, RFC 7636, RFC 8252, RFC 9207.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlencode, urlsplit

from edgeworker.config import JSON
from edgeworker.messages import Response
from edgeworker.products.access import replies
from edgeworker.products.access.objects import hash_secret

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_LOOPBACK: Final = frozenset({"127.0.0.1", "[::1]", "::1"})
MAX_REDIRECT_URI: Final = 2048


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """How a client names itself at the token endpoint; `secret` "" for a public one."""

    client_id: str
    secret: str = field(default="", repr=False)


def read_client_credentials(authorization: str | None, form: Mapping[str, str]) -> ClientCredentials | None:
    """By Basic or in the form, and not by both. None for anything else."""
    if authorization is not None:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "basic" or "client_secret" in form:
            return None
        try:
            name, colon, secret = base64.b64decode(text.strip(), validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return None
        found = ClientCredentials(unquote(name), unquote(secret))
        return found if colon and form.get("client_id", found.client_id) == found.client_id else None
    client_id = form.get("client_id", "")
    return ClientCredentials(client_id, form.get("client_secret", "")) if client_id else None


def has_secret(credentials: ClientCredentials, secret_hash: str) -> bool:
    return bool(secret_hash) and hmac.compare_digest(hash_secret(credentials.secret), secret_hash)


def is_challenge(text: str) -> bool:
    return _CHALLENGE.fullmatch(text) is not None


def matches_challenge(verifier: str, challenge: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return hmac.compare_digest(digest, challenge)


def is_same_redirect(asked: str, registered: str) -> bool:
    """Exactly the same; of a loopback address any port (RFC 8252, 7.3)."""
    if asked == registered:
        return True
    one, other = urlsplit(asked), urlsplit(registered)
    if one.hostname not in _LOOPBACK or one.scheme != "http" or one.username is not None:
        return False
    return (one.scheme, one.hostname, one.path, one.query, one.fragment) == (
        other.scheme,
        other.hostname,
        other.path,
        other.query,
        other.fragment,
    )


def redirect_back(redirect_uri: str, fields: Mapping[str, str]) -> Response:
    """To the client, with the answer in the query."""
    separator = "&" if "?" in redirect_uri else "?"
    kept = {name: value for name, value in fields.items() if value}
    return replies.redirect(f"{redirect_uri}{separator}{urlencode(kept)}")


def oauth_error(error: str, description: str, *, status: int = 400) -> Response:
    headers = {"Pragma": "no-cache"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Access"'
    body: JSON = {"error": error, "error_description": description}
    return replies.json_reply(body, status=status, headers=headers)
