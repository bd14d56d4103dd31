"""What miniflare answered when a cron trigger was fired by its URL, with the recorder's scripts in both engines."""

from pathlib import Path
from typing import Final, Literal

import pytest

from edgeworker.config import Config, Worker
from edgeworker.javascript.settings import JavaScriptSettings
from edgeworker.testing import Edge
from tests.conformance.test_scheduled import ANSWERS
from tests.runtime.engines.stage import workerd

SCRIPTS: Final = {
    "ends": "scheduled() {}",
    "calls noRetry": "scheduled(controller) { controller.noRetry() }",
    "raises": 'scheduled() { throw new Error("no") }',
    "calls noRetry and raises": 'scheduled(controller) { controller.noRetry(); throw new Error("no") }',
    "has no handler": "fetch() {}",
}


@pytest.mark.parametrize("engine", [pytest.param("workerd", marks=pytest.mark.node), "embedded"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_fired_trigger_is_answered_as_miniflare_does(
    tmp_path: Path, script: str, engine: Literal["workerd", "embedded"]
) -> None:
    settings = JavaScriptSettings(engine, workerd=workerd().program if engine == "workerd" else None)
    if engine == "embedded":
        pytest.importorskip("quickjs")
    main = tmp_path / "index.js"
    main.write_text(f"export default {{ {SCRIPTS[script]} }}")
    config = Config(
        workers=(Worker("w", main, compatibility_date="2026-01-01"),), default_worker="w", javascript=settings
    )

    with Edge(config) as edge:
        for recorded in (answer for answer in ANSWERS if answer.script == script):
            answer = edge.get(f"http://localhost/cdn-cgi/handler/scheduled{recorded.query}")
            text = answer.text
            if script == "has no handler":
                # We say what is missing; there it stands in the log only.
                text = text.partition(":")[0] if "json" not in recorded.query else text.partition(',"error"')[0] + "}"
            assert (answer.status, answer.headers.get("content-type"), text) == (
                recorded.status,
                recorded.type,
                recorded.text,
            )
