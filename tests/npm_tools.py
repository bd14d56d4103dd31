"""Where the tests find programs that come from npm, and what happens where they are missing.

`npm install --prefix ~/.cache/edgeworker-node-tools node@22 wrangler@4.164.0 jose@6` puts the programs where they are
looked for; .ci/run has the whole list, with the packages of the public workers. EDGEWORKER_NODE_TOOLS may name another
folder that holds such a node_modules.
"""

import os
from pathlib import Path
from typing import NoReturn

import pytest

_DEFAULT = Path.home() / ".cache" / "edgeworker-node-tools"


def missing(reason: str) -> NoReturn:
    """Skips the test, or fails it under CI=1, where everything has to be there."""
    if os.environ.get("CI") in ("1", "true"):
        pytest.fail(reason)
    pytest.skip(reason)


def node_tools() -> Path:
    """The folder whose node_modules has them, as a project's folder has."""
    folder = Path(os.environ.get("EDGEWORKER_NODE_TOOLS") or _DEFAULT)
    if not (folder / "node_modules").is_dir():
        missing(f"{folder}/node_modules is needed; see tests/npm_tools.py")
    return folder


def npm_program(package: str, script: str) -> list[str]:
    """The command that runs a package's script with the Node.js of the npm package `node`."""
    modules = Path(os.environ.get("EDGEWORKER_NODE_TOOLS") or _DEFAULT) / "node_modules"
    node, entry = modules / ".bin" / "node", modules / package / script
    if not node.exists() or not entry.exists():
        missing(f"{entry} and {node} are needed; see tests/npm_tools.py")
    return [str(node), str(entry)]
