"""What a process tells its parent when it crashes."""

import subprocess
import sys

import pytest

from tests.patience import PATIENCE_SECONDS

PROGRAM = """
import ctypes, os, tempfile
from edgeworker.host.crash_record import CrashRecord

def refuse(**options):
    raise OSError(28, "No space left on device")

def crash():
    ctypes.string_at(0)

def end():
    os._exit(0)

%s
record = CrashRecord()
for _ in range(2):
    process = os.fork()
    if process == 0:
        record.enable()
        %s()
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), [record.take(), record.take()])
"""


@pytest.mark.parametrize(
    ("before", "does", "status", "told"),
    [
        ("", "crash", "-11", ["Fatal Python error: Segmentation fault", 'File "<string>", line 9 in crash']),
        ("", "end", "0", []),
        ("tempfile.TemporaryFile = refuse", "crash", "-11", []),
    ],
)
def test_a_crash_is_told_once_with_its_lines(before: str, does: str, status: str, told: list[str]) -> None:
    command = [sys.executable, "-c", PROGRAM % (before, does)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True).stdout

    for line in said.splitlines():
        assert line.startswith(f"{status} [")
        assert line.endswith(", '']")
        assert all(text in line for text in told)
        assert told or line == f"{status} ['', '']"
    assert len(said.splitlines()) == 2
