"""One process of `serve`, as an operator sees it. Signals, reloads and logs are in test_session.py."""

import json
from pathlib import Path

import pytest

from tests.cli.serve.serving import serve, write_project


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_script_prints_is_in_the_log_at_once(tmp_path: Path, processes: int) -> None:
    config = write_project(tmp_path)
    worker = tmp_path / "worker.py"
    worker.write_text(worker.read_text().replace("        return", "        print('<0>printed')\n        return"))

    with serve("-c", str(config), "--processes", str(processes), cwd=tmp_path) as served:
        assert served.get().status == 200
        line = json.loads(served.wait_for("printed"))

    assert (line["message"], line["logger"]) == ("<0>printed", "edgeworker.console")
