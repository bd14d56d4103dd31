"""`wrangler dev` as a person runs it, with the split-token work as a worker and the tokens in its local KV."""

import json
import os
import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench import dev, tokens
from tests.bench.gateway import Gateway
from tests.bench.processes import ended, free_port

_WORKER = Path(__file__).with_name("gateway_worker.mjs")


def start(stack: ExitStack, tools: Path, origin: str, data: Path, made: list[tokens.Split]) -> Gateway | None:
    """`tools` is where npm installed wrangler, `data` a folder of its own. None, with a text, if it does not start."""
    data.mkdir()
    shutil.copy(_WORKER, data / "worker.mjs")
    (data / "wrangler.toml").write_text(
        'name = "bench"\nmain = "worker.mjs"\ncompatibility_date = "2026-04-01"\n'
        f'kv_namespaces = [{{ binding = "TOKENS", id = "{tokens.NAMESPACE}" }}]\n[vars]\nORIGIN = "{origin}"\n'
    )
    (data / "tokens.json").write_text(json.dumps([{"key": one.key, "value": one.value} for one in made]))
    binaries = f"{tools / 'node_modules' / 'node' / 'bin'}:{tools / 'node_modules' / '.bin'}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": binaries, "WRANGLER_SEND_METRICS": "false", "DO_NOT_TRACK": "1", "CI": "1"}
    kept = ["--persist-to", str(data / "state")]
    put = ["wrangler", "kv", "bulk", "put", "tokens.json", "--binding", "TOKENS", "--local", *kept]
    log = stack.enter_context((data / "log").open("w"))  # not a pipe: no one reads its line for each request
    subprocess.run(put, cwd=data, env=environment, stdout=log, stderr=log, check=True)
    port = free_port()
    begun = time.perf_counter()
    command = ["wrangler", "dev", "--ip", "127.0.0.1", "--port", str(port), "--inspector-port", str(free_port()), *kept]
    process = stack.enter_context(
        ended(subprocess.Popen(command, cwd=data, env=environment, stdout=log, stderr=log, text=True))
    )
    if not dev.wait_for_answer(process, port):
        print(f"wrangler dev is not measured: it did not start:\n{(data / 'log').read_text()[-500:]}\n")
        return None
    return Gateway("wrangler dev", port, process.pid, time.perf_counter() - begun)
