"""`kv bulk`: many entries at a time, from JSON files, with wrangler's words."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.cli.kv.ask import confirm
from edgeworker.cli.kv.choose import namespace_id
from edgeworker.cli.kv.entry_json import pair_of
from edgeworker.cli.kv.keys import metadata_of
from edgeworker.cli.kv.target import KVTarget
from edgeworker.config import JSON
from edgeworker.errors import ConfigError
from edgeworker.kv.namespace import KeyValuePair
from edgeworker.strict_json import loads

if TYPE_CHECKING:
    from edgeworker.cli.output import Output

_PAIRS_AT_ONCE = 1000  # wrangler's batches


async def run(place: KVTarget, options: argparse.Namespace, out: "Output") -> int:
    namespace = namespace_id(options)
    items = _items(options.filename)
    match options.action:
        case "get":
            values = await place.values(namespace, _keys(items, options.filename))
            shown = {key: None if value is None else value.decode("utf-8", "replace") for key, value in values.items()}
            out.line(json.dumps(shown, indent=2, ensure_ascii=False))
        case "put":
            pairs = _pairs(items, options)
            for start in range(0, len(pairs), _PAIRS_AT_ONCE):
                await place.put_many(namespace, pairs[start : start + _PAIRS_AT_ONCE])
            out.line("Success!")
        case _:
            keys = _keys(items, options.filename)
            if not options.force and not confirm(f"Remove {len(keys)} keys from the namespace {namespace}?"):
                out.line("Not removing keys.")
                return 0
            for start in range(0, len(keys), _PAIRS_AT_ONCE):
                await place.delete_many(namespace, keys[start : start + _PAIRS_AT_ONCE])
            out.line("Success!")
    return 0


def _items(file: Path) -> list[JSON]:
    try:
        items = loads(file.read_bytes(), lone_surrogates=True)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{file}: is not JSON ({error})") from None
    if not isinstance(items, list):
        raise ConfigError(f"{file}: holds no JSON array; for JSON lines there is `edgeworker kv import`")
    return items


def _keys(items: list[JSON], file: Path) -> list[str]:
    """Keys, or objects with a `name`, as `kv key list` prints them."""
    keys: list[str] = []
    for index, item in enumerate(items):
        key = item.get("name") if isinstance(item, dict) else item
        if not isinstance(key, str):
            raise ConfigError(f"{file}: item {index} is neither a key nor an object with a name")
        keys.append(key)
    return keys


def _pairs(items: list[JSON], options: argparse.Namespace) -> list[KeyValuePair]:
    """The options are for the pairs that do not say it themselves."""
    defaults: dict[str, JSON] = {
        "expiration": options.expiration,
        "expiration_ttl": options.ttl,
        "metadata": metadata_of(options),
    }
    pairs: list[KeyValuePair] = []
    for index, item in enumerate(items):
        where = f"{options.filename}: item {index}"
        given = {**defaults, **item} if isinstance(item, dict) else item
        pairs.append(pair_of(given, where))
    return pairs
