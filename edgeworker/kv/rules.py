"""What KV allows. Pure.

Limits: https://developers.cloudflare.com/kv/platform/limits/
Texts: recorded from workerd and miniflare, see tests/conformance/cases/kv.json.
"""

import base64
import binascii
from typing import Final

from edgeworker.config import JSON
from edgeworker.errors import KVError, KVTypeError
from edgeworker.strict_json import InvalidJSON, dumps

MAX_KEY_BYTES: Final = 512
MAX_VALUE_BYTES: Final = 25 * 1024 * 1024
MAX_METADATA_BYTES: Final = 1024
MIN_TTL_SECONDS: Final = 60
MIN_CACHE_TTL_SECONDS: Final = 30
MAX_LIST_LIMIT: Final = 1000
MAX_BULK_GET_KEYS: Final = 100
MAX_BULK_GET_BYTES: Final = 25 * 1024 * 1024
MAX_BULK_PAIRS: Final = 10_000
MAX_BULK_BYTES: Final = 100 * 1024 * 1024

# What a JavaScript number holds exactly; a moment beyond it is a mistake.
_MAX_SAFE_INTEGER: Final = 2**53 - 1


def utf8(text: str) -> bytes:
    """The bytes of a value: pairs of surrogates are one character, a lone one is three bytes, as workerd writes it."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _join_surrogates(text).encode("utf-8", "surrogatepass")


def check_key(key: str) -> str:
    """The key as it is stored. A key is any text of 1 to 512 bytes of UTF-8 but "." and "..".

    Raises:
        KVTypeError: it is empty, "." or "..".
        KVError: (414) it is too long; (400) it has a lone surrogate.
    """
    if 2 < len(key) <= MAX_KEY_BYTES and key.isascii():
        return key
    if not key:
        raise KVTypeError("Key name cannot be empty.", rule="key name")
    if key in (".", ".."):
        raise KVTypeError(f'"{key}" is not allowed as a key name.', rule="key name")
    return check_key_length(key)


def check_bulk_key(key: str) -> str:
    """Like `check_key`, with the texts that a bulk get has for the same mistakes. Raises KVError (400 or 414)."""
    if key == "":
        raise KVError("Key names must not be empty", status=400, rule="key name")
    if key in (".", ".."):
        raise KVError(f'Illegal key name "{key}". Please use a different name.', status=400, rule="key name")
    return check_key(key)


def check_key_length(key: str) -> str:
    """What of `check_key` the prefix of a list must fulfil too."""
    try:
        stored = _join_surrogates(key).encode()
    except UnicodeEncodeError:
        raise KVError("Could not URL-decode key name", status=400, rule="key name") from None
    size = len(stored)
    if size > MAX_KEY_BYTES:
        raise KVError(
            f"UTF-8 encoded length of {size} exceeds key length limit of {MAX_KEY_BYTES}.",
            status=414,
            rule="key length",
        )
    return stored.decode()


def check_value_length(size: int) -> None:
    """`size` in bytes. Raises KVError (413)."""
    if size > MAX_VALUE_BYTES:
        raise KVError(f"Value length of {size} exceeds limit of {MAX_VALUE_BYTES}.", status=413, rule="value length")


def check_bulk_get(count: int) -> None:
    """How many keys one call may ask for. Raises KVError (400)."""
    if count > MAX_BULK_GET_KEYS:
        raise KVError(f"You can request a maximum of {MAX_BULK_GET_KEYS} keys", status=400, rule="bulk")
    if count < 1:
        raise KVError("You must request a minimum of 1 key", status=400, rule="bulk")


def check_bulk_get_size(size: int) -> None:
    """`size` is that of all values of one answer, in bytes. Raises KVError (413)."""
    if size > MAX_BULK_GET_BYTES:
        limit = MAX_BULK_GET_BYTES // 1024 // 1024
        raise KVError(f"Total size of request exceeds the limit of {limit}MB", status=413, rule="bulk")


def check_bulk_pairs(count: int) -> None:
    """How many keys one call may write or delete. Raises KVError (400)."""
    if count > MAX_BULK_PAIRS:
        raise KVError(f"You can write or delete a maximum of {MAX_BULK_PAIRS} keys", status=400, rule="bulk")


def check_bulk_size(size: int) -> None:
    """`size` is that of all values that one call writes, in bytes. Raises KVError (413)."""
    if size > MAX_BULK_BYTES:
        raise KVError(
            f"Total size of request exceeds the limit of {MAX_BULK_BYTES // 1024 // 1024}MB", status=413, rule="bulk"
        )


def check_cache_ttl(seconds: int) -> None:
    """Raises KVError (400) below 30 seconds."""
    if seconds < MIN_CACHE_TTL_SECONDS:
        raise KVError(
            f"Invalid cache_ttl of {seconds}. Cache TTL must be at least {MIN_CACHE_TTL_SECONDS}.",
            status=400,
            rule="cache_ttl",
        )


def expires_at(*, now: int, expiration: int | None, expiration_ttl: int | None) -> int | None:
    """The expiry as epoch seconds, or None for never; `expiration_ttl` (seconds) wins over `expiration` (a moment).

    Raises:
        KVError: (400) less than MIN_TTL_SECONDS from `now`.

    Source: https://developers.cloudflare.com/kv/api/write-key-value-pairs/#expiring-keys
    """
    if expiration_ttl is not None:
        wrong = f"Invalid expiration_ttl of {expiration_ttl}."
        if expiration_ttl <= 0:
            raise KVError(f"{wrong} Please specify integer greater than 0.", status=400, rule="expiration_ttl")
        if expiration_ttl > _MAX_SAFE_INTEGER - now:
            raise KVError(f"{wrong} Please specify a smaller integer.", status=400, rule="expiration_ttl")
        if expiration_ttl < MIN_TTL_SECONDS:
            raise KVError(
                f"{wrong} Expiration TTL must be at least {MIN_TTL_SECONDS}.", status=400, rule="expiration_ttl"
            )
        return now + expiration_ttl
    if expiration is not None:
        wrong = f"Invalid expiration of {expiration}."
        if expiration <= now:
            raise KVError(
                f"{wrong} Please specify integer greater than the current number of seconds since the UNIX epoch.",
                status=400,
                rule="expiration",
            )
        if expiration < now + MIN_TTL_SECONDS:
            raise KVError(
                f"{wrong} Expiration times must be at least {MIN_TTL_SECONDS} seconds in the future.",
                status=400,
                rule="expiration",
            )
        if expiration > _MAX_SAFE_INTEGER:
            raise KVError(f"{wrong} Please specify a smaller integer.", status=400, rule="expiration")
    return expiration


def metadata_text(metadata: JSON) -> str | None:
    """The metadata as JSON text the way JavaScript writes it, or None for none (which null is too).

    Raises:
        KVError: (413) its text has more than 1024 bytes; (400) it holds NaN or an infinity.
    """
    if metadata is None:
        return None
    try:
        text = dumps(metadata, ascii_only=False)
    except InvalidJSON as error:
        raise KVError(f"Metadata is not JSON: {error}.", status=400, rule="metadata") from error
    if not _is_well_formed(text):
        text = dumps(metadata)
    size = len(text.encode())
    if size > MAX_METADATA_BYTES:
        raise KVError(f"Metadata length of {size} exceeds limit of {MAX_METADATA_BYTES}.", status=413, rule="metadata")
    return text


def _is_well_formed(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def list_limit(limit: int | None) -> int:
    """How many keys a page holds at most; None means 1000. Raises KVError (400) outside of 1 to 1000."""
    if limit is None:
        return MAX_LIST_LIMIT
    wrong = f"Invalid key_count_limit of {limit}."
    if limit < 1:
        raise KVError(f"{wrong} Please specify an integer greater than 0.", status=400, rule="limit")
    if limit > MAX_LIST_LIMIT:
        raise KVError(f"{wrong} Please specify an integer less than {MAX_LIST_LIMIT}.", status=400, rule="limit")
    return limit


def encode_cursor(last_name: str) -> str:
    """A cursor says after which name a list goes on.

    It is not signed: a caller that can send a cursor can list the namespace anyway, and no cursor leads out of the
    namespace and the prefix of the call it comes with.
    """
    return base64.b64encode(utf8(last_name)).decode()


def decode_cursor(cursor: str) -> str:
    """The name after which the list goes on. Raises KVError (400) for text that no list gave out."""
    try:
        return base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise KVError("Invalid cursor: it is not one that a list has answered.", status=400, rule="cursor") from error


def cursor_of_script(cursor: str) -> str | None:
    """None for text that is not a cursor: in a script, unlike over REST, that begins at the beginning."""
    try:
        return cursor if decode_cursor(cursor) else None
    except KVError:
        return None


def namespace_not_found() -> KVError:
    return KVError("namespace not found", status=404, rule="namespace not found")


def title_taken() -> KVError:
    return KVError("a namespace with this account ID and title already exists", status=400, rule="title taken")


def _join_surrogates(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
