"""ON_PREM.md followed on a machine without Python, by an unprivileged service with a read-only root."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeworker.cli import parser
from edgeworker.cli.serve.bound_sockets import SOCKET_FIELDS
from tests.cli.test_binary import binary
from tests.npm_tools import missing
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parent.parent.parent
NAMESPACES = (
    "unshare",
    "--mount",
    "--net",
    "--pid",
    "--fork",
    "--mount-proc",
    "--kill-child",
    "--propagation",
    "private",
)


@pytest.mark.binary
@pytest.mark.skipif(sys.platform != "linux", reason="namespaces are Linux's")
def test_three_commands_make_a_gateway_with_tls_and_metrics_on_a_bare_machine(tmp_path: Path) -> None:
    program = binary()
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "ip", "setpriv", "ldd"))):
        missing("root, unshare, ip and setpriv are needed to make a machine of its own")

    done = subprocess.run(
        [*NAMESPACES, sys.executable, "-m", "tests.cli.bare_machine", str(tmp_path), program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_SECONDS,
        check=False,
    )

    assert done.stdout.endswith("all is well\n"), f"{done.stdout}\n{done.stderr}"


def test_the_page_has_the_commands_that_are_tried() -> None:
    page = (ROOT / "edgeworker" / "ON_PREM.md").read_text()

    helper = Path(__file__).with_name("bare_machine.py").read_text()
    for command in (
        "edgeworker init /etc/edgeworker --template server --host ",
        "edgeworker serve --edge /etc/edgeworker/edge.toml --processes 2 --print-unit",
    ):
        assert command in page
        assert command in helper


def test_the_container_of_the_page_starts_commands_that_there_are() -> None:
    page = (ROOT / "edgeworker" / "ON_PREM.md").read_text()
    recipe = page.partition("```dockerfile\n")[2].partition("```")[0]
    commands = [json.loads(words) for words in re.findall(r"(?:ENTRYPOINT|CMD) (\[.*\])", recipe)]

    names = [parser(words[1]).parse_args(words[1:]).command for words in commands]

    assert names == ["status", "serve"]
    assert "ca-certificates" in recipe


def test_the_socket_units_of_the_page_have_names_that_there_are() -> None:
    page = (ROOT / "edgeworker" / "ON_PREM.md").read_text()

    named = re.findall(r"^FileDescriptorName=(.*)$", page, re.MULTILINE)

    assert named
    assert set(named) <= set(SOCKET_FIELDS)
