"""Replays what miniflare answered when a cron trigger was fired by its URL (record_scheduled.mjs)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from edgeworker.config import Config
from tests.edge.making import make

CASES: Final = Path(__file__).parent / "cases" / "scheduled.json"

SCRIPTS: Final = {
    "ends": "def scheduled(self, controller):\n    pass",
    "calls noRetry": "def scheduled(self, controller):\n    controller.noRetry()",
    "raises": "def scheduled(self, controller):\n    raise ValueError",
    "calls noRetry and raises": "def scheduled(self, controller):\n    controller.noRetry()\n    raise ValueError",
    "has no handler": "def fetch(self, request):\n    pass",
}


@dataclass(frozen=True, slots=True)
class Answer:
    script: str
    query: str
    status: int
    type: str
    text: str


ANSWERS: Final = [Answer(**answer) for answer in json.loads(CASES.read_text("utf-8"))["answers"]]


@pytest.mark.parametrize("recorded", ANSWERS, ids=[f"{answer.script}{answer.query}" for answer in ANSWERS])
async def test_a_fired_trigger_is_answered_as_miniflare_does(tmp_path: Path, recorded: Answer) -> None:
    made = await make(tmp_path, Config(default_worker="w", trigger_urls=True), {"w": SCRIPTS[recorded.script]})

    response, text = await made.get(f"http://localhost/cdn-cgi/handler/scheduled{recorded.query}")
    await made.close()

    if recorded.script == "has no handler":
        # We say what is missing; there it stands in the log only.
        text = text.partition(":")[0] if "json" not in recorded.query else text.partition(',"error"')[0] + "}"
    assert (response.status, response.headers.get("content-type"), text) == (
        recorded.status,
        recorded.type,
        recorded.text,
    )
