"""A data directory of another user, and a command without the rights of root to look into it."""

import os
import shutil
from pathlib import Path

from tests.npm_tools import missing

_NO_ONE = 65534


def give_away(folder: Path) -> tuple[str, ...]:
    """The words before a command that is to meet the folder as a user who may not enter it."""
    if os.geteuid() != 0:
        folder.chmod(0)
        return ()
    if shutil.which("setpriv") is None:
        missing("root needs setpriv to go without its rights")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, _NO_ONE, _NO_ONE)
    folder.chmod(0o700)
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
