"""One of several processes that all want the same codes: `python racing.py FOLDER COUNT`.

Prints "ready", begins when a line comes in, takes each code, puts each name and replaces each token, all at once, and
prints what it won.
"""

import asyncio
import json
import sys
from pathlib import Path

from edgeworker.state import AtomicKey, SQLiteState
from tests.kv.clocks import FakeClock


async def race(folder: Path, count: int) -> dict[str, list[str]]:
    state = SQLiteState(folder, FakeClock())
    atomic = state.atomic
    print("ready", flush=True)
    sys.stdin.readline()
    taken = await asyncio.gather(*(atomic.take(AtomicKey("codes", str(code)), now_ms=5) for code in range(count)))
    put = await asyncio.gather(
        *(atomic.put_if_absent(AtomicKey("names", str(name)), "x", now_ms=5, expires_at_ms=99) for name in range(count))
    )
    replaced = await asyncio.gather(
        *(
            atomic.compare_and_put(AtomicKey("tokens", str(token)), "old", "new", now_ms=5, expires_at_ms=99)
            for token in range(count)
        )
    )
    await state.close()
    return {
        "taken": [value for value in taken if value is not None],
        "put": [str(name) for name, done in enumerate(put) if done],
        "replaced": [str(token) for token, done in enumerate(replaced) if done],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(race(Path(sys.argv[1]), int(sys.argv[2])))))
