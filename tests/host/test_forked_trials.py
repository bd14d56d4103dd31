"""Trials that the parent of several processes forks, asked for by one of its children."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

# The first process forks trials until its child, which asks for one, has ended.
_PARENT = """\
import asyncio, dataclasses, json, os, select, signal, subprocess, sys, time
from edgeworker.errors import ConfigError
from edgeworker.host.forked_trials import TrialRequests, fork_requested_trial

requests = TrialRequests()
held = open(__file__)
os.environ["NOTIFY_SOCKET"] = "/run/systemd/notify"
signal.signal(signal.SIGTERM, lambda *_: None)

def trial(what):
{trial}

async def ask():
{ask}

child = os.fork()
if child == 0:
    requests.received.close()
    asyncio.run(ask())
    sys.stdout.flush()
    os._exit(0)
while os.waitpid(child, os.WNOHANG) == (0, 0):
    if select.select([requests.received], [], [], 0.02)[0]:
        fork_requested_trial(requests.received, trial, longest_seconds={longest})
"""
_ASK = """\
result = await requests.run("gate=1")
print(json.dumps(dataclasses.asdict(result)))
"""
_PATIENCE_SECONDS = 60.0


def _run(folder: Path, trial: str, ask: str = _ASK, *, longest: float = _PATIENCE_SECONDS) -> dict[str, object]:
    def indent(text: str) -> str:
        return "\n".join(f"    {line}" for line in text.splitlines())

    file = folder / "parent.py"
    file.write_text(_PARENT.format(trial=indent(trial), ask=indent(ask), longest=longest))
    done = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, check=True, timeout=2 * _PATIENCE_SECONDS
    )
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("trial", "status", "text"),
    [
        pytest.param("return 0", 0, "", id="it works"),
        pytest.param("return 3", 3, "", id="a status of its own"),
        pytest.param("raise ConfigError(f'{what}: no such version')", 1, "gate=1: no such version\n", id="an error"),
        pytest.param("sys.stderr.write('é' * 3); return 1", 1, "ééé", id="text that it wrote"),
        pytest.param("os.kill(os.getpid(), signal.SIGKILL)", -9, "", id="killed"),
        pytest.param("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -15, "", id="no handler of the parent's"),
        pytest.param("sys.exit(0)", 1, None, id="a script that ends the process has not loaded"),
        pytest.param("return 'NOTIFY_SOCKET' in os.environ", 0, "", id="it cannot notify systemd"),
    ],
)
def test_the_answer_is_how_the_trial_ended(tmp_path: Path, trial: str, status: int, text: str | None) -> None:
    result = _run(tmp_path, trial)

    assert result["status"] == status
    assert result["is_late"] is False
    if text is not None:
        assert result["text"] == text


def test_a_trial_has_no_descriptor_of_its_parent(tmp_path: Path) -> None:
    trial = """\
open_ones = []
for each in range(3, 256):
    try:
        os.fstat(each)
        open_ones.append(each)
    except OSError:
        pass
sys.stderr.write(str(open_ones))
return 0
"""

    result = _run(tmp_path, trial)

    assert result["text"] == "[]"


def test_of_what_a_trial_writes_the_last_is_kept(tmp_path: Path) -> None:
    result = _run(tmp_path, "sys.stderr.write('x' * 300_000 + 'the end'); return 1")

    text = result["text"]
    assert isinstance(text, str)
    assert len(text) == 8000
    assert text.endswith("xthe end")


def test_a_trial_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    result = _run(tmp_path, "time.sleep(600); return 0", longest=0.1)

    assert result["is_late"] is True


def test_a_trial_that_no_one_waits_for_is_ended(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    ask = f"""\
import pathlib
task = asyncio.ensure_future(requests.run("gate=1"))
while not pathlib.Path({str(begun)!r}).exists():
    await asyncio.sleep(0.02)
task.cancel()
print(json.dumps({{"trial": int(pathlib.Path({str(begun)!r}).read_text())}}))
"""
    trial = f"""\
with open({str(begun)!r} + ".part", "w") as file:
    file.write(str(os.getpid()))
os.rename({str(begun)!r} + ".part", {str(begun)!r})
time.sleep(600)
"""

    process = _run(tmp_path, trial, ask)["trial"]

    assert isinstance(process, int)
    _wait_until_ended(process)


def test_a_trial_ends_with_a_watcher_that_was_killed(tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    trial = f"""\
with open({str(begun)!r}, "w") as file:
    file.write(str(os.getpid()))
os.kill(os.getppid(), signal.SIGKILL)
time.sleep(600)
"""

    assert _run(tmp_path, trial, 'print(json.dumps({"result": await requests.run("gate=1")}))') == {"result": None}
    _wait_until_ended(int(begun.read_text()))


def test_what_a_trial_started_ends_with_it(tmp_path: Path) -> None:
    result = _run(
        tmp_path,
        "child = subprocess.Popen(['sleep', '600'], stderr=subprocess.DEVNULL)\n"
        "sys.stderr.write(str(child.pid))\n"
        "return 0",
    )

    assert result["status"] == 0
    _wait_until_ended(int(str(result["text"])))


def test_two_trials_run_at_once(tmp_path: Path) -> None:
    """Each waits for the other."""
    trial = f"""\
place = {str(tmp_path)!r}
open(os.path.join(place, what), "w").close()
other = os.path.join(place, "b" if what == "a" else "a")
while not os.path.exists(other):
    time.sleep(0.02)
return 0
"""
    ask = """\
one, other = await asyncio.gather(requests.run("a"), requests.run("b"))
print(json.dumps({"statuses": [one.status, other.status]}))
"""

    assert _run(tmp_path, trial, ask) == {"statuses": [0, 0]}


def test_a_parent_that_has_ended_takes_no_trial(tmp_path: Path) -> None:
    ask = """\
while os.getppid() == parent:
    await asyncio.sleep(0.02)
print(json.dumps({"result": await requests.run("gate=1")}))
"""
    file = tmp_path / "parent.py"
    text = _PARENT.format(
        trial="    return 0", ask="\n".join(f"    {line}" for line in ask.splitlines()), longest=_PATIENCE_SECONDS
    )
    file.write_text(
        text.replace("child = os.fork()", "parent = os.getpid()\nchild = os.fork()").split("while os.wait")[0]
    )

    done = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, check=True, timeout=_PATIENCE_SECONDS
    )

    assert json.loads(done.stdout) == {"result": None}


def _wait_until_ended(process: int) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while _runs(process):
        assert time.monotonic() < until, f"process {process} still runs"
        time.sleep(0.02)


def _runs(process: int) -> bool:
    """A process that has ended and that no one has waited for yet does not run."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
