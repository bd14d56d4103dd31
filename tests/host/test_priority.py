"""The priority of processes that try something."""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgeworker.host.priority import SESSION_NICENESS, SHORT_TURN_NANOSECONDS, TRIAL_NICENESS, lower_priority

_TURNS = """\
import ctypes
import os
import platform
import struct
import threading
from edgeworker.host.priority import lower_priority, take_short_turns

GET = {"x86_64": 315, "aarch64": 275}[platform.machine()]

def attributes(process):
    content = ctypes.create_string_buffer(56)
    assert ctypes.CDLL(None).syscall(GET, process, content, 56, 0) == 0
    return struct.unpack("=IIQiIQ", content.raw[:32])

os.nice(3)
before = attributes(0)
take_short_turns()
after = attributes(0)
own = []
thread = threading.Thread(target=lambda: own.append(attributes(threading.get_native_id())))
thread.start()
thread.join()
lower_priority(os.getpid())
lowered = attributes(0)
print(before[5], after[5], own[0][5], lowered[5], before[3], after[3])
"""
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


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the call is known for these")
def test_turns_are_short_where_requests_are_served_and_usual_where_something_is_tried() -> None:
    """In the kernel's own words; niceness stays."""
    said = subprocess.run([sys.executable, "-c", _TURNS], capture_output=True, text=True, check=True).stdout
    before, after, of_a_thread, lowered, *niceness = map(int, said.split())
    if before == 0:
        pytest.skip("this kernel has one length of turns for all")

    assert before > SHORT_TURN_NANOSECONDS
    assert after == of_a_thread == SHORT_TURN_NANOSECONDS
    assert lowered == before
    assert niceness[0] == niceness[1]
