"""What someone else wrote into state.sqlite is an error of the storage, never one of the program."""

import sqlite3
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.state import SQLiteState
from tests.kv.clocks import FakeClock


@pytest.mark.parametrize("text", ["{", "[" * 100_000, ""])
async def test_a_document_and_a_token_that_are_not_json_are_errors_of_the_store(tmp_path: Path, text: str) -> None:
    async with SQLiteState(tmp_path, FakeClock()) as state:
        await state.documents("made-up").put("kind", "a", {"n": 1})
        await state.api_tokens.create("ci", ["kv:read"], now=1, expires_at=None)
        with sqlite3.connect(tmp_path / "state.sqlite") as connection:
            connection.execute("UPDATE documents SET value = ?", (text,))
            connection.execute("UPDATE api_tokens SET permissions = ?", (text,))
        connection.close()

        with pytest.raises(StoreError, match="the document kind a is not JSON"):
            await state.documents("made-up").get("kind", "a")
        with pytest.raises(StoreError, match="API token ci"):
            await state.api_tokens.list()
