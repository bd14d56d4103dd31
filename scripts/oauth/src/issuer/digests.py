"""Digests that serve as KV keys: a list of keys reveals no code, token or e-mail address. Pure."""

import base64
import hashlib


def digest(text: str) -> str:
    """base64url of SHA-256 of the text's UTF-8, without padding: 43 characters."""
    # Text from JSON may have lone surrogates; it has a digest like any other.
    return encoded(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def digest_of_parts(*parts: str) -> str:
    """One digest of several texts. The length precedes each, so ("ab", "c") and ("a", "bc") differ."""
    hashed = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogatepass")
        hashed.update(len(content).to_bytes(8, "big"))
        hashed.update(content)
    return encoded(hashed.digest())


def encoded(content: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
