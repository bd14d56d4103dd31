"""A stream as a file, read from a thread."""

import io
from collections.abc import AsyncIterator

import pytest

from edgeworker.runtime.python.run_sync_stack import in_thread
from edgeworker.runtime.python.sync_body import SyncBody


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


READS = [
    # (pieces, how many bytes are asked for, what comes)
    ((b"ab", b"cd"), -1, b"abcd"),
    ((b"ab", b"cd"), 3, b"abc"),
    ((b"", b"ab", b""), -1, b"ab"),
    ((), 5, b""),
]


@pytest.mark.parametrize(("pieces", "count", "reads"), READS)
async def test_the_pieces_are_read_as_one_file(pieces: tuple[bytes, ...], count: int, reads: bytes) -> None:
    file = io.BufferedReader(SyncBody(_pieces(*pieces)))

    assert await in_thread(lambda: file.read(count)) == reads
