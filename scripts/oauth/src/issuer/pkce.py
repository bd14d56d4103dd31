"""PKCE (RFC 7636), only with S256. Pure."""

import hmac
import re
from typing import Final

from issuer import digests

VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def challenge_of(verifier: str) -> str:
    return digests.digest(verifier)


def matches(verifier: str, challenge: str) -> bool:
    return VERIFIER.fullmatch(verifier) is not None and hmac.compare_digest(challenge_of(verifier), challenge)
