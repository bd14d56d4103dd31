"""The demo as a person runs it."""

import asyncio
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edgeworker.cli.demo.show import perform
from edgeworker.cli.demo.stage import set_up
from edgeworker.cli.demo.tokens import DemoToken, Publisher
from edgeworker.cli.demo.wire import WireResponse
from edgeworker.cli.output import Output
from tests.patience import PATIENCE_SECONDS


async def test_every_step_is_verified_and_told_in_plain_text_when_piped() -> None:
    stream = io.StringIO()

    assert await perform(Output(stream, styled=False), keep=False)
    text = stream.getvalue()
    assert "FAILED" not in text
    assert "\x1b" not in text
    assert re.search(r"\nok: 18 of 18 checks held\.\n$", text)
    for what in ("no token: 401", "the whole JWT: 401", "the expired token: 401", "the revoked token: 401"):
        assert f"ok: {what}" in text


async def test_a_step_that_fails_makes_the_demo_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(publisher: Publisher, token: DemoToken, *, expiration: int | None = None) -> WireResponse:
        return WireResponse(200, {}, b'{"success":true}')

    monkeypatch.setattr(Publisher, "publish", lost)
    stream = io.StringIO()

    assert not await perform(Output(stream, styled=False), keep=False)
    assert "FAILED: the edge let it through (got: 401" in stream.getvalue()
    assert re.search(r"FAILED: \d+ of 18 checks did not hold:", stream.getvalue())


async def test_nothing_is_left_of_its_storage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with set_up():
        assert os.listdir(tmp_path) != []

    assert os.listdir(tmp_path) == []


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "edgeworker", "demo", *arguments]


def test_it_runs_from_an_empty_folder_and_leaves_it_empty(tmp_path: Path) -> None:
    done = subprocess.run(
        _command(), cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_lines_of_keep_work_when_they_are_pasted(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *_command("--keep"),
        cwd=tmp_path,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        lines: list[str] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not lines or not lines[-1].startswith("Ctrl-C"):
                line = (await process.stdout.readline()).decode()
                assert line, "".join(lines)
                lines.append(line.rstrip("\n"))
        curls = [line for line in lines if line.startswith("curl ")]
        answers = [await _pasted(line) for line in (*curls[:6], curls[0], curls[6], curls[0])]
    finally:
        process.send_signal(signal.SIGINT)
        status = await process.wait()

    assert status == 0
    call, no_token, whole, keys, entry, revoked, call_again, published, call_at_last = answers
    assert " 200 " in call.splitlines()[0]
    assert '"of": "ann"' in call
    assert " 401 " in no_token.splitlines()[0]
    assert " 401 " in whole.splitlines()[0]
    assert '"success":true' in keys.replace(" ", "")
    assert re.fullmatch(r"[\w-]+\.[\w-]+", entry)
    assert '"success":true' in revoked.replace(" ", "")
    assert " 401 " in call_again.splitlines()[0]
    assert '"success":true' in published.replace(" ", "")
    assert " 200 " in call_at_last.splitlines()[0]


async def _pasted(line: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *shlex.split(line), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, line
    return output.decode()
