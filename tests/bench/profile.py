"""Where `edgeworker dev` spends its time on the split-token route: `python -m tests.bench.profile [SECONDS]`.

Samples only what holds the interpreter's lock, with py-spy (`uvx py-spy` where it is not installed).
"""

import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from tests.bench import dev, load, rounds, tokens

_SHOWN = 40


def main() -> int:
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    own = Path(sys.executable).with_name("py-spy")
    found = str(own) if own.exists() else shutil.which("py-spy")
    sampler = [found] if found is not None else ["uvx", "py-spy"]
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeworker-profile-")))
        made = tokens.make(1000)
        origin = f"http://127.0.0.1:{rounds.start_origin(stack, data)}"
        started = dev.start(stack, origin, data / "dev", made, starts=1)
        if started is None:
            return 1
        work = load.Work([one.token for one in made])
        out = data / "stacks"
        record = [*sampler, "record", "--gil", "--format", "raw", "--output", str(out), "--duration", str(seconds)]
        running = threading.Thread(
            target=load.measure, args=(started.port, work), kwargs={"connections": 64, "seconds": seconds + 1}
        )
        running.start()
        subprocess.run([*record, "--pid", str(started.pid)], check=True, capture_output=True)
        running.join()
        _print(out.read_text().splitlines())
    return 0


def _print(stacks: list[str]) -> None:
    alone: Counter[str] = Counter()
    within: Counter[str] = Counter()
    total = 0
    for line in stacks:
        frames, _, number = line.rpartition(" ")
        names = [frame.strip().rpartition(":")[0] for frame in frames.split(";")]
        count = int(number)
        total += count
        alone[names[-1]] += count
        for name in set(names):
            within[name] += count
    print("percent alone, percent with all that it calls")
    for name, count in alone.most_common(_SHOWN):
        print(f"{100 * count / total:6.1f}{100 * within[name] / total:7.1f}  {name})")


if __name__ == "__main__":
    raise SystemExit(main())
