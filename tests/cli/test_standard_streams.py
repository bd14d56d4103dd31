"""A process that was started without a standard stream."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS


@pytest.mark.parametrize("descriptor", [0, 1, 2])
def test_no_file_takes_the_place_of_a_standard_stream_that_was_closed(descriptor: int, tmp_path: Path) -> None:
    code = (
        f"import os; os.close({descriptor})\n"
        "import sys; sys.stdout = sys.stderr = None\n"
        "from edgeworker.cli import main\n"
        "try:\n    main(['--version'])\nexcept SystemExit:\n    pass\n"
        f"file = open({str(tmp_path / 'file')!r}, 'w')\n"
        "file.write(str(file.fileno() > 2)); file.close()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=PATIENCE_SECONDS)

    assert (tmp_path / "file").read_text() == "True"
