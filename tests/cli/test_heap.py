import os
import platform
import subprocess
import sys

import pytest

# How many of four threads that live at the same time are given memory of a heap of their own: glibc marks it in the
# size that stands before each piece.
PROGRAM = """
import ctypes, sys, threading
from edgeworker.cli import heap
if sys.argv[1] == "shared":
    assert heap.share_between_threads()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(4)
marks = []
def allocate():
    together.wait()
    piece = libc.malloc(100_000)
    marks.append(ctypes.c_size_t.from_address(piece - ctypes.sizeof(ctypes.c_size_t)).value & 4)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
print(sum(map(bool, marks)))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc" or sys.platform != "linux", reason="of glibc")
def test_threads_share_one_heap() -> None:
    def heaps(how: str) -> int:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
        command = [sys.executable, "-c", PROGRAM, how]
        told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return int(told.stdout)

    assert heaps("as usual") > 0
    assert heaps("shared") == 0
