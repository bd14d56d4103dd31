"""Records in KV: JSON objects, each owned by one subject of one issuer. Pure.

Key: "record:" + owner + ":" + id. The owner is a hash, so no subject can be chosen to reach another's keys.
"""

import base64
import hashlib
import json
import re
from typing import Final

from verifier import claims

ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_RECORD_LENGTH: Final = 65_536  # bytes
MAX_PAGE: Final = 1000

_TYPE: Final = "record"
_CURSOR: Final = re.compile(r"[A-Za-z0-9_=+/.-]{1,1024}")


class BadRecord(ValueError):
    """The client sent something that is not a record. The text goes to the client."""


def owner(issuer: str, subject: str) -> str:
    """43 characters. The lengths are hashed too, so two different pairs never have the same text."""
    text = f"{len(issuer)}:{issuer}{len(subject)}:{subject}"
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def prefix(owner_hash: str) -> str:
    return f"record:{owner_hash}:"


def parse(content: bytes) -> claims.Claims:
    """The object that a client sent. Raises BadRecord."""
    try:
        text = content.decode("utf-8")
        value = claims.parse_strict_json(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise BadRecord("The body is not JSON in UTF-8 without duplicate members") from None
    if not isinstance(value, dict):
        raise BadRecord("The body is JSON, but not an object")
    return value


def dump(content: claims.Claims, *, now: int) -> str:
    return json.dumps({"t": _TYPE, "updated": now, "content": content}, separators=(",", ":"))


def load(text: str) -> claims.Claims | None:
    """{"updated": ..., "content": ...}, or None for a value that this worker did not write."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("t") != _TYPE or not isinstance(value.get("content"), dict):
        return None
    return {"updated": value.get("updated"), "content": value["content"]}


def page(query: dict[str, str]) -> tuple[int, str | None]:
    """(limit, cursor) of a list's query. Raises BadRecord."""
    limit, cursor = query.get("limit", "100"), query.get("cursor")
    if not re.fullmatch(r"[1-9][0-9]{0,3}", limit) or int(limit) > MAX_PAGE:
        raise BadRecord(f"limit is not a number from 1 to {MAX_PAGE}")
    if cursor is not None and not _CURSOR.fullmatch(cursor):
        raise BadRecord("cursor is not one that a list returned")
    return int(limit), cursor
