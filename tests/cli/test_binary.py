"""H30: who may read and write what an edge keeps, and what the single binary unpacks and imports.

The binary is what `poe build` makes; with CI=1 it has to be there.
"""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import dev, environment, fetch, run
from tests.npm_tools import missing
from tests.patience import PATIENCE_SECONDS

BINARY = Path(__file__).parent.parent.parent / "dist" / "edgeworker"
CARELESS = ("sh", "-c", 'umask 000; exec "$@"', "sh")  # every right that a program does not take away itself

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there are no such modes")


def modes(folder: Path) -> dict[str, str]:
    """By path below `folder`, itself included; "0600"."""
    return {
        str(path.relative_to(folder)): f"{stat.S_IMODE(path.lstat().st_mode):04o}"
        for path in (folder, *sorted(folder.rglob("*")))
    }


def binary() -> str:
    if not BINARY.exists():
        missing(f"{BINARY} is needed: `poe build` makes it")
    return str(BINARY)


def test_h30_only_its_owner_reads_what_an_edge_keeps_whatever_the_umask_is(tmp_path: Path) -> None:
    with dev("--https-port", "0", cwd=tmp_path, prefix=CARELESS) as edge:
        token = tmp_path.joinpath(".edgeworker", "api-token").read_text().strip()
        made = fetch(
            f"{edge.api_url}/cdn-cgi/local/explorer/api/storage/kv/namespaces",
            method="POST",
            headers={"Authorization": f"Bearer {token}"},
            body=b'{"title": "secrets"}',
        )
        assert made.status == 200
        assert run("token", "create", "t", "--allow", "everything", cwd=tmp_path).returncode == 0
        kept = modes(tmp_path / ".edgeworker")

    assert {"api-token", "kv.sqlite", "kv.sqlite-wal", "state.sqlite", "tls/ca.key"} <= kept.keys()
    readable = {"tls/ca.pem"}  # it is there to be handed out
    assert {name: mode for name, mode in kept.items() if mode not in ("0600", "0700") and name not in readable} == {}


@pytest.mark.binary
def test_h30_no_one_else_can_put_code_where_the_binary_unpacks_itself(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir(mode=0o1777)
    temporary.chmod(0o1777)

    with dev(cwd=tmp_path, prefix=CARELESS, program=(binary(),), env=environment(TMPDIR=str(temporary))) as edge:
        (unpacked,) = temporary.glob("_EWK*")
        mode, owner = unpacked.stat().st_mode, unpacked.stat().st_uid
        assert edge.stop() == 0

    assert (f"{stat.S_IMODE(mode):04o}", owner) == ("0700", os.geteuid())
    assert list(temporary.iterdir()) == []  # and nothing is left


@pytest.mark.binary
@pytest.mark.parametrize("name", ["ssl", "json", "edgeworker", "sitecustomize", "aiohttp", "wrangler_compat"])
def test_h30_the_binary_imports_nothing_from_where_it_is_started(tmp_path: Path, name: str) -> None:
    tmp_path.joinpath(f"{name}.py").write_text("open('ran', 'w')\nraise SystemExit('taken over')\n")

    env = environment(PYTHONPATH=str(tmp_path), PYTHONSTARTUP=str(tmp_path / f"{name}.py"), PYTHONHOME=str(tmp_path))
    done = subprocess.run(
        [binary(), "check"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert not tmp_path.joinpath("ran").exists()


def test_h30_an_installed_edgeworker_does_not_either(tmp_path: Path) -> None:
    for name in ("ssl", "json", "sitecustomize"):
        tmp_path.joinpath(f"{name}.py").write_text("open('ran', 'w')\n")
    program = Path(sys.executable).with_name("edgeworker")

    done = subprocess.run(
        [program, "check"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert not tmp_path.joinpath("ran").exists()
