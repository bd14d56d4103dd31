"""PKCE (RFC 7636), with S256 only. Pure."""

import hmac
import re
from typing import Final

from issuer import hashes

VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def challenge_of(verifier: str) -> str:
    return hashes.digest(verifier)


def fits(verifier: str, challenge: str) -> bool:
    return VERIFIER.fullmatch(verifier) is not None and hmac.compare_digest(challenge_of(verifier), challenge)
