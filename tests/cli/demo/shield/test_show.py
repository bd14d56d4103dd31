"""The API Shield demo as a person runs it."""

import asyncio
import io
import logging
import os
import re
from pathlib import Path

import pytest

from edgeworker.cli.demo.shield.show import perform
from edgeworker.cli.demo.shield.stage import Provider, set_up
from edgeworker.cli.output import Output


async def test_every_step_is_verified_and_told_in_plain_text(caplog: pytest.LogCaptureFixture) -> None:
    stream = io.StringIO()

    with caplog.at_level(logging.WARNING):
        assert await perform(Output(stream, styled=False), keep=False)
    text = stream.getvalue()
    assert "FAILED" not in text
    assert "\x1b" not in text
    assert re.search(r"\nok: 23 of 23 checks held\.\n$", text)
    assert 'http.request.jwt.claims.iss["login"][0]  ->  "https://elsewhere.example"' in text
    assert caplog.records == []


async def test_a_step_that_fails_makes_the_demo_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    sign = Provider.token

    def stale(provider: Provider, subject: str, *, expires_at: int, **claims: str) -> str:
        return sign(provider, subject, expires_at=1, **claims)

    monkeypatch.setattr(Provider, "token", stale)
    stream = io.StringIO()

    assert not await perform(Output(stream, styled=False), keep=False)
    assert "FAILED: it reached the API (got: 401" in stream.getvalue()


async def test_kept_running_it_says_what_to_try(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stopped(out: Output, stop: asyncio.Event) -> None:
        """As if Ctrl-C came."""

    monkeypatch.setattr("edgeworker.cli.demo.shield.show.until_stopped", stopped)
    stream = io.StringIO()

    assert await perform(Output(stream, styled=False), keep=True)
    lines = [line for line in stream.getvalue().splitlines() if line.startswith("curl -i http://127.0.0.1:")]
    assert ["Authorization: Bearer" in line for line in lines] == [True, False]


async def test_nothing_is_left_of_its_storage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with set_up():
        assert os.listdir(tmp_path) != []

    assert os.listdir(tmp_path) == []
