"""Ids where none is configured: always the same for the same thing, so that data keeps its place. Pure."""

from hashlib import sha256


def made_up(*parts: str) -> str:
    """32 hexadecimal digits, as Cloudflare's ids have, made from what the id is for."""
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def version_id(*parts: bytes) -> str:
    """A UUID that stays the same as long as the script and its configuration do."""
    from uuid import UUID  # which takes as long to load as all other modules of configuration together

    return str(UUID(bytes=sha256(b"\0".join(parts)).digest()[:16], version=4))
