from pathlib import Path

import pytest

from edgeworker.cli.kv.target import DataDirectory, every_page, existing_database
from edgeworker.errors import StoreError
from edgeworker.kv.namespace import KeyValuePair
from tests.kv.clocks import FakeClock


async def test_every_page_leads_through_the_whole_list(tmp_path: Path) -> None:
    place = DataDirectory.open(tmp_path, FakeClock())
    await place.put_many("ns", [KeyValuePair(f"{number:04}", b"v") for number in range(2500)])

    sizes = [len(page.keys) async for page in every_page(place, "ns")]
    await place.close()

    assert sizes == [1000, 1000, 500]


def test_a_reader_needs_a_database_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"kv\.sqlite: there is no KV database; name the data directory"):
        existing_database(tmp_path)
