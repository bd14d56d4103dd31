"""The OAuth demo as a person runs it."""

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edgeworker.cli.demo.oauth.browser import Browser
from edgeworker.cli.demo.oauth.client import OAuthClient
from edgeworker.cli.demo.oauth.show import decide, log_in, perform
from edgeworker.cli.demo.oauth.stage import PASSWORD, set_up
from edgeworker.cli.output import Output
from tests.npm_tools import missing
from tests.patience import PATIENCE_SECONDS

BINARY = Path(__file__).parents[4] / "dist" / "edgeworker"


async def test_every_step_is_verified_and_told_in_plain_text_when_piped() -> None:
    stream = io.StringIO()

    assert await perform(Output(stream, styled=False), keep=False)
    text = stream.getvalue()
    assert "FAILED" not in text
    assert "\x1b" not in text
    assert re.search(r"\nok: 45 of 45 checks held\.\n$", text)
    assert PASSWORD not in text


async def test_a_revocation_that_does_nothing_makes_the_demo_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OAuthClient, "revoke", lambda client, token: 200)
    stream = io.StringIO()

    assert not await perform(Output(stream, styled=False), keep=False)
    assert "FAILED: the very next call is refused at the gateway: 401 (got: 200)" in stream.getvalue()


async def test_a_step_that_cannot_be_taken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeworker.cli.demo.oauth.show.PASSWORD", "not Ann's password")
    stream = io.StringIO()

    assert not await perform(Output(stream, styled=False), keep=False)
    assert "FAILED: every step could be taken (got: LookupError: the page " in stream.getvalue()


async def test_nothing_is_left_of_its_storage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with set_up():
        assert os.listdir(tmp_path) != []

    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("program", ["python", pytest.param("binary", marks=pytest.mark.binary)])
def test_it_runs_from_an_empty_folder_and_leaves_it_empty(tmp_path: Path, program: str) -> None:
    if program == "binary" and not BINARY.exists():
        missing(f"{BINARY} is needed: `poe build` makes it")
    command = [str(BINARY)] if program == "binary" else [sys.executable, "-m", "edgeworker"]

    done = subprocess.run(
        [*command, "demo", "--oauth"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


async def test_with_keep_a_person_logs_in_with_a_browser(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "edgeworker", "demo", "--oauth", "--keep"),
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
        said = "\n".join(lines)
        application = re.findall(r"^  (http://127\.0\.0\.1:\d+)/$", said, re.MULTILINE)[0]
        issuer = re.findall(r"^curl -s (http://auth\.localhost:\d+)/", said, re.MULTILINE)[0]

        def log_in_there() -> tuple[int, str]:
            edge = f"http://127.0.0.1:{urlsplit(issuer).port}"
            browser = Browser(edge, {application: application})
            page = decide(browser, log_in(browser, browser.open(f"{application}/"), PASSWORD), "allow")
            return page.status, page.text

        status, text = await asyncio.to_thread(log_in_there)
    finally:
        process.send_signal(signal.SIGINT)
        ended = await process.wait()

    assert (status, ended) == (200, 0)
    claims = json.loads(re.findall(r"\{.*?\}", text, re.DOTALL)[0])
    assert (claims["iss"], claims["aud"]) == (issuer, "notes")
    assert "Authorization: Bearer " in text
