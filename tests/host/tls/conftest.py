from pathlib import Path

import pytest

from edgeworker.testing.clock import MovableClock
from tests.pki import NOW, PKI


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


@pytest.fixture
def pki(tmp_path: Path) -> PKI:
    return PKI(tmp_path)
