"""Intl of the embedded engine says what workerd's says for en-US; recorded by record_intl.mjs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edgeworker.config import JSON
from tests.runtime.engines.stage import staged

CASES: Final[list[tuple[str, JSON]]] = [
    (one, answer)
    for one, answer in json.loads((Path(__file__).parent / "cases" / "intl.json").read_text(encoding="utf-8"))
]
# What we answer otherwise, and why.
DIFFERENT: Final[Mapping[str, str]] = {
    "new Intl.DateTimeFormat('en-US',{timeZone:'Asia/Kolkata',dateStyle:'long',timeStyle:'long'}).resolvedOptions()": (
        "ICU calls the zone by its old name, Asia/Calcutta; ECMA-402 now keeps the name that was given"
    ),
}


async def test_intl_says_what_workerd_says(tmp_path: Path) -> None:
    tries = "\n".join(
        f"try {{ out.push({one}) }} catch (error) {{ out.push(error.name + ': ' + error.message) }}" for one, _ in CASES
    )
    source = (
        "export default { fetch() { const out = [], D = new Date(1790000000123), Z = new Date(0);\n"
        f"{tries}\nreturn Response.json(out); }} }}"
    )

    async with staged("embedded", tmp_path, source) as stage:
        answers = json.loads(await stage.text("/"))

    assert len(CASES) > 800
    different = {one for (one, expected), answer in zip(CASES, answers, strict=True) if answer != expected}
    assert different == set(DIFFERENT)
