import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.runtime.stage import Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.close()


@pytest.fixture(scope="module")
def garbage_of_module() -> Iterator[None]:
    """For a module whose scripts leave sockets open: the cycles that hold them are collected while its warnings are
    ignored. Else they fail a test of another module, some runs later."""
    yield
    gc.collect()
