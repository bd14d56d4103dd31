"""`kill -9` in the middle of what writes: the databases are whole, an edge can use them, and it can be done again.

A library that is preloaded kills the process before its Nth change of a file: each run is killed at the same place.
"""

import hashlib
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.host.datadir import DataDir
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.store import Entry
from edgeworker.publishing import VersionStore, WorkerVersion
from edgeworker.publishing.archive import pack
from edgeworker.state import SQLiteState
from tests.faults.shim import Shim, has_compiler
from tests.kv.clocks import FakeClock
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(not has_compiler(), reason="needs gcc, which makes the library that kills")

# Near the beginning of what is done, in its middle, and at its end.
CHANGES = (1, 4, 12, 30, 60)
LIVE = 300

SWEEP = """
import asyncio, sys
from pathlib import Path
from edgeworker.kv.sqlite import SQLiteStore


async def main():
    store = SQLiteStore.open(Path(sys.argv[1]))
    while await store.sweep(now=1_000_000, limit=50):
        pass
    await store.close()


asyncio.run(main())
"""
PUBLISH = """
import sys
from pathlib import Path
from edgeworker.publishing import VersionStore, WorkerDeployment
from tests.faults.test_kill import version_of

store, archive = VersionStore(Path(sys.argv[1])), Path(sys.argv[2]).read_bytes()
version = store.add("w", archive, lambda number: version_of(archive, number))
store.project("w", version)
store.deploy("w", WorkerDeployment(version.id, 1, "me", ""))
"""
ROLLBACK = """
import sys
from pathlib import Path
from edgeworker.publishing import VersionStore, WorkerDeployment

store = VersionStore(Path(sys.argv[1]))
store.deploy("w", WorkerDeployment(store.read().worker("w").before().id, 1, "me", ""))
"""


def version_of(archive: bytes, number: int) -> WorkerVersion:
    digest = hashlib.sha256(archive).hexdigest()
    id = f"{digest[:8]}-0000-0000-0000-{number:012}"
    return WorkerVersion(id, number, 1, "me", "", "wrangler.toml", None, len(archive), digest)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return DataDir.open(tmp_path / "data").path


async def fill(data: Path, *, expired: int = 0) -> None:
    store = SQLiteStore.open(data / "kv.sqlite")
    entries = [(f"live-{number}", Entry(f"value-{number}".encode())) for number in range(LIVE)]
    entries += [(f"expired-{number}", Entry(b"x" * 3000, expires_at=500_000)) for number in range(expired)]
    await store.put_many("ns", entries)
    await store.close()
    async with SQLiteState(data, FakeClock()) as state:
        await state.documents("access").put("application", "a", {"name": "Shop"})


async def check_whole(data: Path, *, live: int = LIVE) -> None:
    """Both databases are sound, an edge can open them, and what was acknowledged before is there."""
    for name in ("kv.sqlite", "state.sqlite"):
        with closing(sqlite3.connect(data / name)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    store = SQLiteStore.open(data / "kv.sqlite")
    for number in range(live):
        assert await store.get("ns", f"live-{number}", now=1_000_000) == Entry(f"value-{number}".encode())
    await store.put("ns", "after", Entry(b"1"))
    await store.close()
    async with SQLiteState(data, FakeClock()) as state:
        assert await state.documents("access").get("application", "a") is not None


def run_killed(shim: Shim, change: int, *command: str) -> bool:
    """Whether it was killed; it may have ended before so many changes."""
    done = subprocess.run(
        [sys.executable, *command],
        env=shim.killing_at(change),
        timeout=PATIENCE_SECONDS,
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr.decode()
    return done.returncode != 0


def run(*command: str) -> None:
    arguments = [sys.executable, "-m", "edgeworker", *command]
    subprocess.run(arguments, check=True, capture_output=True, timeout=PATIENCE_SECONDS)


async def test_a_sweep(data: Path, tmp_path: Path) -> None:
    await fill(data, expired=400)
    shim = Shim.build(tmp_path, data)

    killed = [run_killed(shim, change, "-c", SWEEP, str(data / "kv.sqlite")) for change in CHANGES]

    assert any(killed)
    await check_whole(data)
    assert not run_killed(shim, 1_000_000, "-c", SWEEP, str(data / "kv.sqlite"))
    with closing(sqlite3.connect(data / "kv.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM entries WHERE expires_at IS NOT NULL").fetchone() == (0,)


async def test_an_import(data: Path, tmp_path: Path) -> None:
    await fill(data)
    other = DataDir.open(tmp_path / "other").path
    await fill(other)
    exported = tmp_path / "exported"
    run("kv", "export", "ns", str(exported), "--persist-to", str(other))
    command = ("-m", "edgeworker", "kv", "import", "ns", str(exported))
    shim = Shim.build(tmp_path, data)

    killed = [run_killed(shim, change, *command, "--persist-to", str(data)) for change in CHANGES]

    assert any(killed)
    await check_whole(data)
    assert not run_killed(shim, 1_000_000, *command, "--persist-to", str(data))
    await check_whole(data)


async def test_a_backup(data: Path, tmp_path: Path) -> None:
    """No half of a backup stands where the whole one was to be."""
    await fill(data)
    (tmp_path / "backups").mkdir()
    shim = Shim.build(tmp_path, tmp_path / "backups")

    killed = []
    for change in CHANGES:
        backup = tmp_path / "backups" / f"{change}"
        was_killed = run_killed(
            shim, change, "-m", "edgeworker", "kv", "backup", str(backup), "--persist-to", str(data)
        )
        killed.append(was_killed)
        if backup.exists():
            restored = DataDir.open(tmp_path / f"restored-{change}").path
            run_killed(shim, 1_000_000, "-m", "edgeworker", "kv", "restore", str(backup), "--persist-to", str(restored))
            await check_whole(restored)

    assert any(killed)
    await check_whole(data)


async def test_a_restore(data: Path, tmp_path: Path) -> None:
    """What is there is the old or the new, and it can be restored again."""
    await fill(data)
    backup = tmp_path / "backup"
    restore = ("-m", "edgeworker", "kv", "restore", str(backup), "--force", "--persist-to", str(data))
    run("kv", "backup", str(backup), "--persist-to", str(data))
    shim = Shim.build(tmp_path, data)

    for change in CHANGES:
        run_killed(shim, change, *restore)
        await check_whole(data)

    assert not run_killed(shim, 1_000_000, *restore)
    await check_whole(data)


def test_a_publication_and_a_rollback(data: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "wrangler.toml").write_text('name = "w"\n')
    shim = Shim.build(tmp_path, data)
    archives = []
    for number in (1, 2):
        (project / "worker.py").write_text(f"VERSION = {number}\n")
        archives.append(tmp_path / f"{number}.zip")
        archives[-1].write_bytes(pack(project))
    store = VersionStore(data)

    def served() -> str:
        """The script of what is deployed, as a process that starts now unpacks it."""
        (found,) = store.projects(store.read())
        return found.config.with_name("worker.py").read_text()

    assert not run_killed(shim, 1_000_000, "-c", PUBLISH, str(data), str(archives[0]))
    for change in CHANGES:
        run_killed(shim, change, "-c", PUBLISH, str(data), str(archives[1]))
        assert served() in ("VERSION = 1\n", "VERSION = 2\n")
        run_killed(shim, 1_000_000, "-c", PUBLISH, str(data), str(archives[0]))
        assert served() == "VERSION = 1\n"
    run_killed(shim, 1_000_000, "-c", PUBLISH, str(data), str(archives[1]))
    for change in CHANGES:
        run_killed(shim, change, "-c", ROLLBACK, str(data))
        assert served() in ("VERSION = 1\n", "VERSION = 2\n")
