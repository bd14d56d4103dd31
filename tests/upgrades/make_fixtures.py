"""Makes data directories with the code of earlier commits, as SQL: `python -m tests.upgrades.make_fixtures`.

To be run once for each commit that is added to COMMITS; the files are kept, because the code that makes them is not.
"""

import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# The last commit of each form of `state.sqlite` and `kv.sqlite`.
COMMITS = {
    "tokens-only": "c28316f",  # state.sqlite had named API tokens alone, and no version
    "tokens-and-atoms": "701261d",  # ... and atomic values
    "documents": "6123df4",  # versioned, with documents
}
# What that code is asked to write. Names changed: `Atom`, `atoms`, `SQLiteAtoms` are `AtomicKey`, `atomic` today.
PROGRAM = r"""
import asyncio, sys
from pathlib import Path

data = Path(sys.argv[1])
data.mkdir(mode=0o700)


class Clock:
    def now(self): return 1_764_000_000
    def now_ms(self): return 1_764_000_000_000
    def monotonic(self): return 0.0
    async def sleep(self, seconds): await asyncio.sleep(seconds)


async def kv():
    try:
        from edgeworker.kv.sqlite import SQLiteStore
    except ImportError:
        return
    from edgeworker.kv.store import Entry
    store = SQLiteStore.open(data / "kv.sqlite")
    await store.put("ns", "small", Entry(b"value", 4_000_000_000, '{"a":1}'))
    await store.put("ns", "nul\0key", Entry(b"\0\xff"))
    await store.put("ns", "large", Entry(b"0123456789" * 7000))
    await store.put("other", "gone", Entry(b"x"))
    await store.namespaces.delete("other")
    await store.close()


async def state():
    try:
        from edgeworker.state import SQLiteState
        one = SQLiteState(data, Clock())
        tokens, close = one.api_tokens, one.close
    except ImportError:
        one = None
        from edgeworker.state.api_tokens import ApiTokens
        tokens = ApiTokens(data)
        close = None
    made = tokens.create("publisher", ["kv:write"], now=1_764_000_000, expires_at=4_000_000_000)
    print(await made if asyncio.iscoroutine(made) else made)
    if close is not None:
        await close()
    if one is not None:
        from edgeworker.state import AtomicKey
        one = SQLiteState(data, Clock())
        await one.atomic.put_if_absent(AtomicKey("codes", "c"), "used", now_ms=1, expires_at_ms=4_000_000_000_000)
        await one.documents("access").put("application", "a", {"name": "Shop"})
        await one.close()
        return
    try:
        from edgeworker.state import Atom, SQLiteAtoms
    except ImportError:
        return
    atoms = SQLiteAtoms(data)
    await atoms.put_if_absent(Atom("codes", "c"), "used", now_ms=1, expires_at_ms=4_000_000_000_000)
    await atoms.close()


asyncio.run(kv())
asyncio.run(state())
"""


def dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        lines = [*connection.iterdump(), f"PRAGMA application_id = {application};", f"PRAGMA user_version = {version};"]
    return "\n".join(lines) + "\n"


def main() -> None:
    for name, commit in COMMITS.items():
        with tempfile.TemporaryDirectory() as temporary:
            tree, data = Path(temporary, "tree"), Path(temporary, "data")
            tree.mkdir()
            archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
            subprocess.run(["tar", "x"], cwd=tree, input=archive, check=True)
            program = [sys.executable, "-c", PROGRAM, str(data)]
            done = subprocess.run(program, cwd=tree, env={"PYTHONPATH": str(tree)}, check=True, stdout=subprocess.PIPE)
            place = HERE / name
            place.mkdir(exist_ok=True)
            for file in sorted(
                data.glob("state.sqlite" if name == "documents" else "*.sqlite")
            ):  # KV's form is the same
                (place / f"{file.stem}.sql").write_text(dump(file), encoding="utf-8")
            (place / "token.txt").write_bytes(done.stdout)


if __name__ == "__main__":
    main()
