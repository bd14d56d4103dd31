"""`kv export` and `kv import`: a namespace as JSON lines, entry by entry, however large it is."""

import argparse
import contextlib
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from edgeworker.cli.kv import wrangler_state
from edgeworker.cli.kv.choose import named_namespace
from edgeworker.cli.kv.entry_json import line_of, pair_of
from edgeworker.cli.kv.progress import progress
from edgeworker.cli.kv.target import KVTarget, every_page
from edgeworker.errors import ConfigError
from edgeworker.files import draft_of
from edgeworker.kv.namespace import KeyValuePair
from edgeworker.kv.rules import MIN_TTL_SECONDS
from edgeworker.strict_json import loads

if TYPE_CHECKING:
    from edgeworker.cli.output import Output
    from edgeworker.clock import Clock

_PAIRS_AT_ONCE: Final = 2000
_BYTES_AT_ONCE: Final = 16 * 1024 * 1024
_VALUES_AT_ONCE: Final = 100


async def run_export(place: KVTarget, options: argparse.Namespace, err: "Output") -> int:
    namespace = await named_namespace(place, options, options.namespace)
    count = 0
    with _output(options.file) as output, progress("exporting", total=None) as show:
        async for page in every_page(place, namespace, prefix=options.prefix):
            for start in range(0, len(page.keys), _VALUES_AT_ONCE):
                keys = page.keys[start : start + _VALUES_AT_ONCE]
                values = await place.values(namespace, [key.name for key in keys])
                for key in keys:
                    value = values[key.name]
                    # None: it was removed, or expired, since the list was made.
                    if value is not None:
                        output.write(line_of(key, value).encode() + b"\n")
                        count += 1
                show(keys=count, done=count)
    err.ok(f"{count:,} keys exported")
    return 0


async def run_import(place: KVTarget, options: argparse.Namespace, err: "Output", clock: "Clock") -> int:
    """In batches, each of them whole or not at all; what has expired, or would within KV's 60 seconds, is left out."""
    namespace = await named_namespace(place, options, options.namespace, may_be_new=True)
    written = left_out = 0
    batch: list[KeyValuePair] = []
    size = 0
    total = _size(options.source)
    with contextlib.closing(_source(options, namespace)) as pairs, progress("importing", total=total) as show:
        for done, pair in pairs:
            if pair.expiration is not None and pair.expiration < clock.now() + MIN_TTL_SECONDS:
                left_out += 1
                continue
            batch.append(pair)
            size += len(pair.value)
            if len(batch) >= _PAIRS_AT_ONCE or size >= _BYTES_AT_ONCE:
                await place.put_many(namespace, batch)
                written += len(batch)
                batch, size = [], 0
                show(keys=written, done=done)
        if batch:
            await place.put_many(namespace, batch)
            written += len(batch)
    err.ok(f"{written:,} keys imported into {namespace}")
    if left_out:
        err.note(f"{left_out:,} left out: they have expired, or expire within {MIN_TTL_SECONDS} seconds")
    return 0


def _size(source: str) -> float | None:
    """In bytes; None for what is not a file."""
    return float(Path(source).stat().st_size) if Path(source).is_file() else None


def _source(options: argparse.Namespace, namespace: str) -> Generator[tuple[float, KeyValuePair], None, None]:
    """(How far it is, entry); for a file in bytes read."""
    if options.source == "-":
        yield from _lines(sys.stdin.buffer, "standard input")
        return
    path = Path(options.source)
    if path.is_dir():
        for index, pair in enumerate(wrangler_state.entries(path, options.source_namespace or namespace)):
            yield float(index), pair
        return
    try:
        with path.open("rb") as file:
            yield from _lines(file, str(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _lines(file: BinaryIO, name: str) -> Iterator[tuple[float, KeyValuePair]]:
    """(Bytes read so far, entry)."""
    done = 0
    for number, line in enumerate(file, start=1):
        done += len(line)
        if not line.strip():
            continue
        where = f"{name}: line {number}"
        try:
            item = loads(line, lone_surrogates=True)
        except ValueError as error:
            raise ConfigError(f"{where} is not JSON ({error})") from None
        yield float(done), pair_of(item, where)


@contextlib.contextmanager
def _output(file: Path | None) -> Iterator[BinaryIO]:
    """The file appears when it is whole, readable by its owner only."""
    if file is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with draft_of(file) as draft:
            yield draft.file
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from error
