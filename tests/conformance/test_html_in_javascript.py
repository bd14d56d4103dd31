"""The recorded HTMLRewriter cases, asked by the recorder's own JavaScript in the embedded engine."""

import json
from pathlib import Path

from edgeworker.messages import URL, Body, Request
from tests.conformance.test_html import CASES
from tests.runtime.engines.stage import staged

RECORDER = Path(__file__).with_name("record_html.mjs")


async def test_html_is_rewritten_in_javascript_as_by_workerd(tmp_path: Path) -> None:
    script = RECORDER.read_text(encoding="utf-8").partition("const SCRIPT = `")[2].partition("`;\nconst mf")[0]
    different: dict[str, object] = {}
    async with staged("embedded", tmp_path, script.replace("\\\\", "\\")) as stage:
        for name, case in CASES.items():
            content = json.dumps([case["text"], case["handlers"]]).encode()
            response = await stage.send(Request("POST", URL.parse("http://x.test/"), body=Body(content)))
            assert response.body is not None
            answer = json.loads(await response.body.read())
            if answer != case["answer"]:
                different[name] = (answer, case["answer"])

    assert different == {}
