"""The child process of workerd, where it does not start."""

from pathlib import Path

import pytest

from edgeworker.errors import ScriptError
from edgeworker.javascript.project import Module
from edgeworker.runtime.workerd.binary import Binary
from edgeworker.runtime.workerd.capnp import ChildWorker
from edgeworker.runtime.workerd.child import Child


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("exit 7", r"\(exit 7\)$"),
        ("kill -KILL $$", r"\(SIGKILL\)$"),
        ("kill -SYS $$", r"\(SIGSYS: a filter of system calls forbids what it needs; see SystemCallFilter="),
    ],
)
async def test_a_child_that_ends_at_its_start_is_told_with_its_reason(ending: str, told: str, tmp_path: Path) -> None:
    program = tmp_path / "workerd"
    program.write_text(f"#!/bin/sh\n{ending}\n")
    program.chmod(0o755)
    child = Child(
        Binary(program, "2026-07-30", "as configured"), lambda: None, lambda _file, text: text, heap_megabytes=128
    )
    module = Module("a.js", "esm", b"export default {}")
    child.write([ChildWorker("w", [module], "2026-01-01", (), [], {}, {"": str(child.socket_path(0))})])

    with pytest.raises(ScriptError, match=told):
        await child.start()
    await child.stop()
