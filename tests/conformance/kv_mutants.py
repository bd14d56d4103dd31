"""Does each row's test fail when the behaviour is broken? `python -m tests.conformance.kv_mutants [WORD OF A ROW]`.

Works in a copy of the tree, in a few minutes for all rows; exits 1 and names the rows whose tests found nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.conformance.kv_row import Row
from tests.conformance.kv_rows import ROWS

TREE: Final = Path(__file__).parents[2]
CASES: Final = "tests/conformance/test_kv.py::test_a_recorded_case_is_answered_as_workerd_does"


def failures(tree: Path, row: Row) -> set[str]:
    """Which of the row's tests fail in this tree."""
    nodes = {CASES if test.startswith("case: ") else test for test in row.tests}
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=no", "-p", "no:xdist", "-p", "no:cacheprovider"]
    environment = {**os.environ, "COLUMNS": "500", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, *sorted(nodes)], cwd=tree, env=environment, capture_output=True, text=True, timeout=120
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return {test for test in row.tests if any(test.removeprefix("case: ") in line for line in failed)}


def main(words: list[str]) -> int:
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "dist", "build")
        shutil.copytree(TREE, tree, ignore=ignored)
        for row in ROWS:
            if words and not any(word in row.name for word in words):
                continue
            file = tree / row.file
            right = file.read_text()
            file.write_text(right.replace(row.right, row.wrong, 1))
            found = failures(tree, row)
            file.write_text(right)
            survivors += found != set(row.tests)
            print("found   " if found == set(row.tests) else "NOT SEEN", row.name, flush=True)
    return 1 if survivors else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
