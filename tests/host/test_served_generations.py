"""What the processes of an edge tell each other of what they serve."""

import os
import subprocess
from pathlib import Path

from edgeworker.host.served_generations import ServedGenerations, Serving


def test_a_process_is_heard_while_it_runs(tmp_path: Path) -> None:
    served = ServedGenerations(tmp_path)
    served.tell(Serving(3))
    ended = subprocess.Popen(["true"])
    ended.wait()
    (tmp_path / f"{ended.pid}.json").write_text('{"generation": 9, "refused": 0, "error": ""}')
    (tmp_path / "1.json").write_text("broken")
    (tmp_path / f"{os.getppid()}.json").write_text('{"generation": 2, "refused": 3, "error": "no"}')

    assert sorted(served.read(), key=lambda one: one.generation) == [Serving(2, 3, "no"), Serving(3)]
