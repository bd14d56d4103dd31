"""Measures the split-token route: `uv run python tests/bench/split_token.py` (`--help` for more).

Each gateway runs as a process of its own in front of the same origin. Rounds are interleaved, so that a busy moment of
the machine hits all of them alike, and medians are printed. wrk, nginx and nginx's lua module are used where they are
installed; else a load generator of our own, and nginx is left out.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench.rounds import main  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(main())
