"""`edgeworker dev` with the default script, as a person runs it, with the tokens published over its API."""

import json
import os
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.processes import ended, free_port, rss_mb, wait_for_line
from tests.bench.tokens import Split

COMPILED: Final = Path(__file__).resolve().parents[2] / "build" / "compiled"  # what `poe build-fast` leaves
_TOKEN: Final = "bench-token-that-is-long-enough"
_STARTS: Final = 3


@dataclass(frozen=True, slots=True)
class Started:
    """What `edgeworker dev` took, medians. `first_answer_seconds` is from the start of the process to its first answer;
    `compiling_seconds` is the same on a machine where Python keeps no byte code, so that each start compiles all."""

    port: int
    pid: int
    first_answer_seconds: float
    compiling_seconds: float
    idle_mb: float


def start(
    stack: ExitStack,
    origin: str,
    data: Path,
    made: list[Split],
    *options: str,
    starts: int = _STARTS,
    prefix: Sequence[str] = (),
    tree: Path | None = None,
) -> Started | None:
    """Starts it a few times, for the median, and leaves the last one running; None, with a text, if it does not.

    `data` is a folder of its own, `options` are more of the command line's, `prefix` is a program that runs it, `tree`
    a folder with another form of edgeworker.
    """
    data.mkdir(exist_ok=True)
    environment = environment_of(tree) | {"EDGEWORKER_API_TOKEN": _TOKEN, "PYTHONPYCACHEPREFIX": str(data / "pycache")}
    command = [
        *prefix,
        sys.executable,
        "-m",
        "edgeworker",
        "dev",
        "--json",
        "--origin",
        origin,
        "--persist-to",
        str(data / "dev"),
        "--api-port",
        "0",
        *options,
    ]
    log = stack.enter_context((data / "dev.log").open("w+"))  # not a pipe: no one reads its line for each request
    compiling = environment | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(data / "none")}
    took: list[float] = []
    for number in range(2 * starts + 1):
        port = free_port()
        begun = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=data,
            env=compiling if number < starts else environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        with ExitStack() as one:
            one.enter_context(ended(process))
            if not wait_for_answer(process, port):
                log.seek(0)
                print(f"edgeworker dev is not measured: it did not start:\n{log.read().strip()[-500:]}\n")
                return None
            took.append(time.perf_counter() - begun)
            if number < 2 * starts - 1:
                continue
            # In the start before the last one for the byte code of the API, which no first answer needs.
            publish_tokens(json.loads(wait_for_line(process, "{"))["api_url"], _TOKEN, made)
            if number == 2 * starts:
                stack.push(one.pop_all())
    # The first start with byte code wrote it.
    usual, without = statistics.median(took[starts + 1 :] or took), statistics.median(took[:starts] or took)
    return Started(port, process.pid, usual, without, rss_mb(process.pid))


def environment_of(tree: Path | None) -> dict[str, str]:
    """For a process that finds edgeworker in `tree`, or where this one does."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return environment if tree is None else environment | {"PYTHONPATH": str(tree)}


def wait_for_answer(process: "subprocess.Popen[str]", port: int) -> bool:
    """Whether it has answered before it ended."""
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError:
            return True  # 401: there is no token in this request, and the script has answered it
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.002)
        else:
            return True
    return False


def publish_tokens(api: str, token: str, made: list[Split]) -> None:
    """Writes the tokens over the KV REST API into the first namespace."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(method: str, path: str, body: object = None) -> dict[str, object]:
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{api}{path}", content, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            result: dict[str, object] = json.load(answer)
            return result

    base = "" if api.rstrip("/").endswith("/client/v4") else "/client/v4"
    accounts = call("GET", f"{base}/accounts")["result"]
    assert isinstance(accounts, list)
    namespaces = f"{base}/accounts/{accounts[0]['id']}/storage/kv/namespaces"
    listed = call("GET", namespaces)["result"]
    assert isinstance(listed, list)
    if not listed:
        return  # a script without KV
    call("PUT", f"{namespaces}/{listed[0]['id']}/bulk", [{"key": one.key, "value": one.value} for one in made])
