"""Runs the tests on the compiled form: in the copy of the tree that build_fast.py leaves, so that what a test imports
and what it starts is compiled. `poe check-compiled`; arguments are pytest's.

Left out is what is about the checkout or about what is built of it (the markers below); it says the same in both forms.
"""

import os
import subprocess
import sys

from build_fast import compile_tree, has_compiler

_LEFT_OUT = ("checkout", "wheel", "binary")  # pyproject.toml says what they mark


def run_tests(*arguments: str) -> int:
    """Returns pytest's exit status."""
    tree = compile_tree()
    environment = os.environ | {"EDGEWORKER_COMPILED": "1", "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": ""}
    left_out = " and ".join(f"not {name}" for name in _LEFT_OUT)
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "worksteal", "-p", "no:cacheprovider"]
    command += ["-p", "tests.worker_count", "-p", "tests.one_more_try", "--reruns", "1", "-m", left_out]
    return subprocess.run([*command, *arguments], cwd=tree, env=environment, check=False).returncode


if __name__ == "__main__":
    if not has_compiler():
        sys.exit(
            "there is no C compiler here, which makes the compiled form: install gcc, or run the tests with `poe check`"
        )
    sys.exit(run_tests(*sys.argv[1:]))
