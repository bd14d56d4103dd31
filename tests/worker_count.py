"""A pytest plugin for `poe check`: two workers more than there are processors, where `-n auto` asks.

Many tests wait, for a process that they started or for a file to be looked at again, and leave their processor idle.
Loaded with `-p tests.worker_count`; `-n 2` is two all the same.
"""

import os
from typing import Final

import pytest

MORE: Final = 2


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_auto_num_workers() -> int:
    return len(os.sched_getaffinity(0)) + MORE if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + MORE
