"""`kv key`: one entry at a time, with wrangler's words."""

import argparse
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.cli.kv.choose import namespace_id
from edgeworker.cli.kv.target import KVTarget, every_page
from edgeworker.config import JSON
from edgeworker.errors import ConfigError
from edgeworker.strict_json import loads

if TYPE_CHECKING:
    from edgeworker.cli.output import Output

_PIECE_BYTES: Final = 256 * 1024


async def run(place: KVTarget, options: argparse.Namespace, out: "Output") -> int:
    namespace = namespace_id(options)
    match options.action:
        case "put":
            await _put(place, namespace, options, out)
        case "get":
            return await _get(place, namespace, options, out)
        case "list":
            keys = [key async for page in every_page(place, namespace, prefix=options.prefix) for key in page.keys]
            out.line(json.dumps([key.as_json() for key in keys], indent=2, ensure_ascii=False))
        case _:
            out.prose(f'Deleting the key "{options.key}" on namespace id: "{namespace}".')
            await place.delete_many(namespace, [options.key])
    return 0


def metadata_of(options: argparse.Namespace) -> JSON:
    """Raises ConfigError for text that is not JSON."""
    if options.metadata is None:
        return None
    try:
        metadata: JSON = loads(options.metadata, lone_surrogates=True)
    except ValueError as error:
        raise ConfigError(f"--metadata {options.metadata}: is not JSON ({error})") from None
    return metadata


async def _put(place: KVTarget, namespace: str, options: argparse.Namespace, out: "Output") -> None:
    if (options.value is None) == (options.path is None):
        raise ConfigError("give either a value or --path FILE")
    metadata = metadata_of(options)
    with_metadata = "" if metadata is None else f' with metadata "{options.metadata}"'
    value: bytes | AsyncIterator[bytes]
    if options.path is None:
        what, value = f'value "{options.value}" to', options.value.encode("utf-8", "surrogateescape")
    else:
        what, value = f"contents of {options.path} to the", _pieces(options.path)
    out.prose(f'Writing the {what} key "{options.key}" on namespace id: "{namespace}"{with_metadata}.')
    await place.put(
        namespace, options.key, value, expiration=options.expiration, expiration_ttl=options.ttl, metadata=metadata
    )


async def _get(place: KVTarget, namespace: str, options: argparse.Namespace, out: "Output") -> int:
    pieces = await place.get(namespace, options.key)
    if pieces is None:
        raise ConfigError(f'there is no key "{options.key}" in the namespace {namespace}')
    if options.text:
        out.line(b"".join([piece async for piece in pieces]).decode("utf-8", "replace"))
        return 0
    async for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
    return 0


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    except OSError as error:
        raise ConfigError(f"--path {path}: cannot be read: {error.strerror}") from error
