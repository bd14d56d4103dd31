from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.runtime.stage import Stage
from tests.wrangler_compat.conftest import project as project


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.close()
