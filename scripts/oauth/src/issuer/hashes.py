"""Hashes under which things lie in KV: who reads the keys of a namespace has no code, no token and no address. Pure."""

import base64
import hashlib


def digest(text: str) -> str:
    """base64url of SHA-256 of the text's UTF-8, without padding: 43 characters."""
    # A text out of JSON may hold half of a surrogate pair; it has a hash like any other.
    return encoded(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def joined(*parts: str) -> str:
    """One digest of several texts. Each goes in behind its length, so ("ab", "c") and ("a", "bc") are apart."""
    hashed = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogatepass")
        hashed.update(len(content).to_bytes(8, "big"))
        hashed.update(content)
    return encoded(hashed.digest())


def encoded(content: bytes) -> str:
    """base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
