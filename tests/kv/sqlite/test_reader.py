import threading
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite.connection import create
from edgeworker.kv.sqlite.reader import Reader


async def test_a_long_read_does_not_run_in_the_event_loop(tmp_path: Path) -> None:
    create(tmp_path / "kv.sqlite")
    reader = Reader(tmp_path / "kv.sqlite")

    assert await reader.run(lambda _: threading.get_ident()) != threading.get_ident()
    assert await reader.run(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)
    await reader.close()


async def test_what_cannot_be_read_is_a_store_error(tmp_path: Path) -> None:
    reader = Reader(tmp_path / "missing.sqlite")

    with pytest.raises(StoreError, match="cannot be opened"):
        await reader.run(lambda _: None)
    await reader.close()
