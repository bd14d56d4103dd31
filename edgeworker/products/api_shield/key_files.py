"""Key sets in files, as identity providers publish them."""

from pathlib import Path
from typing import Final

from edgeworker.products.api_shield.keys import InvalidKeys, VerificationKeys, read_keys
from edgeworker.strict_json import loads

_MAX_FILE_BYTES: Final = 1024 * 1024


def read_key_file(path: Path) -> VerificationKeys:
    """Raises ValueError for what is not a key set, InvalidKeys for one that is refused."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
        value = loads(content) if len(content) <= _MAX_FILE_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read as a key set: {error}") from None
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list):
        raise ValueError(f'{path} is not a key set; it looks like {{"keys": [...]}}')
    return read_keys(keys)


def written_at(path: Path) -> int:
    """When the file was written last, in epoch seconds; 0 if that cannot be told."""
    try:
        return int(path.stat().st_mtime)
    except OSError:
        return 0


__all__ = ["InvalidKeys", "read_key_file", "read_keys", "written_at"]
