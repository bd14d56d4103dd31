"""The parser's compiled part can be missing: in a broken installation, or in a badly made binary."""

import subprocess
import sys

from tests.patience import PATIENCE_SECONDS

PROGRAM = """
import sys
sys.modules["httptools.parser.parser"] = None  # what cannot be imported
from edgeworker.cli import main
main(["dev", "--port", "0", "--api-port", "0"])
"""


def test_h30_without_the_compiled_parser_nothing_is_served_and_the_reason_is_told(tmp_path: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=str(tmp_path), timeout=PATIENCE_SECONDS
    )

    assert done.returncode == 1
    assert "the HTTP parser cannot be loaded" in done.stderr
    assert "install httptools again" in done.stderr
    assert "Traceback" not in done.stderr
