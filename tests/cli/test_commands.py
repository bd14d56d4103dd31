"""The list of commands, and what a start of the command line imports."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from edgeworker.cli.commands import ALIASES, COMMANDS
from tests.patience import PATIENCE_SECONDS

SLOW: Final = ("aiohttp", "asyncio", "cryptography", "edgeworker.config", "edgeworker.messages", "inspect", "ssl")
CALL: Final = """
import sys
from edgeworker.cli import main
try:
    main(sys.argv[2:])
except SystemExit as ended:
    print(ended.code, *(name for name in sys.argv[1].split() if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("name", list(COMMANDS))
def test_what_the_list_says_of_a_command_is_what_its_module_says(name: str) -> None:
    module = COMMANDS[name].load()

    assert COMMANDS[name].summary == (module.__doc__ or "").partition("\n")[0].removesuffix(".")
    assert callable(module.configure)
    assert callable(module.run)


def test_other_names_are_of_commands_and_of_one_only() -> None:
    names = [alias for aliases in ALIASES.values() for alias in aliases]

    assert set(ALIASES) <= set(COMMANDS)
    assert len({*names, *COMMANDS}) == len(names) + len(COMMANDS)


@pytest.mark.parametrize(
    ("words", "slow"),
    [
        ("--version", SLOW),
        ("--help", SLOW),
        ("explain --help", SLOW),
        ("publish --help", tuple(each for each in SLOW if each not in ("asyncio", "ssl", "inspect"))),
        ("status --help", SLOW),
    ],
)
def test_a_start_that_needs_nothing_slow_imports_nothing_slow(words: str, slow: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CALL, " ".join(slow), *words.split()],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )

    assert (done.stderr, done.returncode) == ("0\n", 0)


@pytest.mark.skipif(os.name != "posix", reason="a folder that is in use cannot be removed")
def test_a_start_in_a_folder_that_was_removed_says_so(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()

    done = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", sys.executable, "-P", "-m", "edgeworker", "check"],
        cwd=gone,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )

    text = "error: the current folder was removed; change to another one, such as: cd /\n"
    assert (done.stdout, done.stderr, done.returncode) == ("", text, 1)
