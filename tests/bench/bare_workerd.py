"""workerd by itself as the split-token gateway: the same script, its tokens in memory, and the origin as its network.

What it takes is what an edge in front of workerd cannot go below.
"""

import json
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from edgeworker.runtime.workerd.binary import find_in_project
from edgeworker.runtime.workerd.capnp import quote
from tests.bench.gateway import Gateway
from tests.bench.processes import ended, free_port, wait_for_line
from tests.bench.tokens import Split

_ENTRY: Final = """import worker from "./index.js";
import entries from "tokens.json";
const tokens = new Map(Object.entries(entries));
const env = { REALM: "api", TOKENS: { get: async (key) => tokens.get(key) ?? null } };
export default { fetch: (request) => worker.fetch(request, env) };
"""
_CONFIG: Final = """using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name="main", worker=(
      modules=[(name="entry.mjs", esModule=embed "entry.mjs"), (name="index.js", esModule=embed "index.js"),
               (name="tokens.json", json=embed "tokens.json")],
      compatibilityDate="2026-04-01", globalOutbound="origin")),
    (name="origin", external=(address=@ORIGIN@, http=())),
  ],
  sockets = [(name="http", address=@ADDRESS@, http=(), service="main")],
);
"""


def bare_workerd(
    stack: ExitStack, project: Path, script: Path, origin: str, data: Path, made: list[Split]
) -> Gateway | None:
    """None where the project's node_modules have no workerd. `data` is a folder of its own."""
    program = find_in_project(project)
    if program is None:
        return None
    data.mkdir()
    port = free_port()
    place = urlsplit(origin)
    config = _CONFIG.replace("@ORIGIN@", quote(f"{place.hostname}:{place.port}"))
    (data / "config.capnp").write_text(config.replace("@ADDRESS@", quote(f"127.0.0.1:{port}")))
    (data / "entry.mjs").write_text(_ENTRY)
    (data / "index.js").write_text(script.read_text("utf-8"), "utf-8")
    (data / "tokens.json").write_text(json.dumps({one.key: one.value for one in made}))
    begun = time.perf_counter()
    command = [str(program), "serve", "--control-fd=1", "config.capnp"]
    process = subprocess.Popen(command, cwd=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    stack.enter_context(ended(process))
    wait_for_line(process, '{"event":"listen"')
    return Gateway("bare workerd", port, process.pid, time.perf_counter() - begun)
