"""The priority of processes that try something."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgeworker.host.priority import SESSION_NICENESS, TRIAL_NICENESS, lower_priority

_LOWER_OWN = """\
import os
from pathlib import Path
from edgeworker.host.priority import lower_own_priority
lower_own_priority()
group = Path("/proc/self/autogroup")
print(os.getpriority(os.PRIO_PROCESS, 0), os.getsid(0) == os.getpid(), group.read_text() if group.exists() else "")
"""


def test_a_process_that_lowers_its_priority_is_a_session_of_its_own_with_that_priority() -> None:
    said = subprocess.run([sys.executable, "-c", _LOWER_OWN], capture_output=True, text=True, check=True).stdout
    niceness, is_session, group = said.split(maxsplit=2)

    assert int(niceness) == min(os.getpriority(os.PRIO_PROCESS, 0) + TRIAL_NICENESS, 19)
    assert is_session == "True"
    if not group.strip():
        pytest.skip("this kernel has no autogroups")
    found = re.search(r"nice (-?\d+)", group)
    assert found is not None
    assert int(found[1]) == SESSION_NICENESS
    own = Path("/proc/self/autogroup").read_text()
    assert own.split()[0] != group.split()[0], "the session of the one that started it keeps its priority"


def test_a_process_that_has_ended_is_no_error() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    lower_priority(process.pid)

    assert os.getpriority(os.PRIO_PROCESS, 0) == before
