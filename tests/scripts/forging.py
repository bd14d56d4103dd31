"""Forged tokens and the two verifiers that must refuse them: the API of scripts/protected_api, and the gateway."""

from collections.abc import Mapping

import jwt

from edgeworker.config import JSON
from edgeworker.host.bundled import script
from edgeworker.testing import Edge, single_worker
from edgeworker.testing.issuer import DEFAULT_AUDIENCE, DEFAULT_URL, encoded, segment, signing_key

URL = "https://api.example.com/claims"
COMMON: dict[str, JSON] = {"ISSUER": DEFAULT_URL, "AUDIENCE": DEFAULT_AUDIENCE, "TOKEN_TYPE": "at+jwt"}
KEYS: JSON = {"keys": [dict(signing_key("RS256").public), dict(signing_key("ES256").public)]}
JWKS_URL = f"{DEFAULT_URL}/.well-known/jwks.json"
SUBJECTS = ("protected_api", "split_token")
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def edge_of(subject: str, **variables: JSON) -> Edge:
    """The gateway takes whole JWTs here, so that the same token reaches either verifier."""
    keys: dict[str, JSON] = {} if "JWKS_URL" in variables or "JWKS" in variables else {"JWKS": KEYS}
    more: dict[str, JSON] = {"JWT_PATHS": "/*"} if subject == "split_token" else {}
    return Edge(
        single_worker(
            script(subject) / "worker.py",
            kv=["RECORDS" if subject == "protected_api" else "TOKENS"],
            routes=["api.example.com/*"],
            variables={**COMMON, **keys, **more, **variables},
        )
    )


def status(edge: Edge, token: object) -> int:
    edge.origin.requests.clear()
    reply = edge.get(URL, headers={"Authorization": f"Bearer {token}"})
    if reply.status == 401:
        assert 'error="invalid_token"' in (reply.headers.get("www-authenticate") or "")
        assert [asked for asked in edge.origin.requests if asked.base is not None] == []
    return reply.status


def token_of(edge: Edge, *, header: Mapping[str, JSON] | None = None, claims: Mapping[str, JSON] | None = None) -> str:
    """Signed by the issuer's RS256 key, whatever the header says."""
    key = signing_key("RS256")
    return over(
        segment({**edge.issuer.header(key), **(header or {})}), segment({**edge.issuer.payload(), **(claims or {})})
    )


def over(head: str, body: str) -> str:
    key = signing_key("RS256")
    return f"{head}.{body}.{encoded(jwt.get_algorithm_by_name('RS256').sign(f'{head}.{body}'.encode(), key.private))}"
