"""`kv view`: what is in a namespace, as a person likes to look at it; the parts of tokens are shown decoded."""

import argparse
import base64
import binascii
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from edgeworker.cli.kv.choose import named_namespace
from edgeworker.cli.kv.target import KVTarget, every_page
from edgeworker.config import JSON
from edgeworker.kv.namespace import ListResultKey
from edgeworker.strict_json import loads

if TYPE_CHECKING:
    from edgeworker.cli.output import Output
    from edgeworker.clock import Clock

_SHOWN_CHARACTERS: Final = 200


async def run(place: KVTarget, options: argparse.Namespace, out: "Output", clock: "Clock") -> int:
    namespace = await named_namespace(place, options, options.namespace)
    keys: list[ListResultKey] = []
    more = False
    async for page in every_page(place, namespace, prefix=options.prefix):
        room = options.limit - len(keys)
        keys += page.keys[:room]
        more = len(page.keys) > room or page.cursor is not None
        if len(keys) >= options.limit:
            break
    values = await place.values(namespace, [key.name for key in keys])
    rows = [
        (
            _printable(key.name),
            shown_value(values[key.name] or b""),
            "" if key.metadata is None else json.dumps(key.metadata),
            "" if key.expires_at is None else time_left(key.expires_at - clock.now()),
        )
        for key in keys
    ]
    out.table(("key", "value", "metadata", "time left"), rows, title=f"namespace {namespace}")
    if not keys:
        out.note("there is no key")
    elif more:
        out.note(f"there are more keys than these {len(keys)}; --limit and --prefix choose others")
    return 0


def shown_value(value: bytes) -> str:
    """One line: a token's `header.payload` decoded, other text as it is, other bytes by their number."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return f"({len(value):,} bytes, not text)"
    parts = [_decoded_part(part) for part in text.split(".")]
    if len(parts) == 2 and all(isinstance(part, dict) for part in parts):
        return _printable(f"header {json.dumps(parts[0])} payload {json.dumps(parts[1])}", limit=len(text) * 2)
    return _printable(text)


def time_left(seconds: int) -> str:
    """ "4:59:00", "2 days, 0:00:10"."""
    return str(timedelta(seconds=seconds)) if seconds > 0 else "expired"


def _decoded_part(part: str) -> JSON:
    try:
        decoded: JSON = loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        return None
    return decoded


def _printable(text: str, *, limit: int = _SHOWN_CHARACTERS) -> str:
    shown = text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"
    # A key or value may hold what would steer the terminal.
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in shown)
