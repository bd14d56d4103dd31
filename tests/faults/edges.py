"""An edge under faults: what it acknowledged, what it answered, and what it logged."""

import json
import time
import urllib.parse
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.running import Answer
from tests.cli.serve.serving import Served

WORKER = """\
from urllib.parse import parse_qs, urlsplit

from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        url = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/put":
            await self.env.NS.put(query["key"], query["value"])
            return Response("stored")
        if url.path == "/get":
            found = await self.env.NS.get(query["key"])
            return Response("none", status=404) if found is None else Response(found)
        if url.path == "/fetch":
            return await fetch(query["url"])
        return Response("hello")
"""


def write_project(folder: Path, edge: str = "") -> Path:
    """Returns the edge's file. The zone origin.test has no worker."""
    (folder / "worker.py").write_text(WORKER)
    (folder / "wrangler.toml").write_text(
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\n'
        + 'compatibility_flags = ["python_workers"]\nroutes = ["example.com/*"]\n'
        + '[[kv_namespaces]]\nbinding = "NS"\nid = "ns"\n'
    )
    file = folder / "edge.toml"
    file.write_text('workers = [{ config = "wrangler.toml" }]\n' + edge)
    return file


@dataclass(slots=True)
class Client:
    """Puts and gets through the worker. `wrong` are answers of 200 that are not true."""

    served: Served
    acknowledged: dict[str, str] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    pages_without_ray: int = 0
    _number: int = 0

    def put(self) -> bool:
        self._number += 1
        key, value = f"key-{self._number}", f"value-{self._number}"
        answer = self._ask("put", f"/put?key={key}&value={value}")
        if answer is not None and answer.status == 200:
            self.acknowledged[key] = value
            return True
        return False

    def get(self, key: str) -> bool:
        answer = self._ask("get", f"/get?key={key}")
        if answer is None:
            return False
        if answer.status in (200, 404) and answer.text != self.acknowledged[key]:
            self.wrong.append(f"{key}: {answer.status} {answer.text[:60]}")
        return answer.status == 200

    def get_any(self) -> bool:
        return self.get(list(self.acknowledged)[self._number % len(self.acknowledged)])

    def check_all(self) -> None:
        for key in self.acknowledged:
            if not self.get(key):
                self.wrong.append(f"{key} is lost")

    def _ask(self, what: str, path: str) -> Answer | None:
        try:
            answer = self.served.get(path)
        except OSError:
            self.statuses[f"{what} cut"] += 1
            return None
        self.statuses[f"{what} {answer.status}"] += 1
        if answer.status >= 500 and "cf-ray" not in answer.headers:
            self.pages_without_ray += 1
        return answer


def seconds_until(works: "object", *, most: float) -> float:
    """How long until `works()` is true; more than `most` if it never was."""
    assert callable(works)
    begun = time.monotonic()
    while time.monotonic() - begun < most:
        if works():
            return time.monotonic() - begun
        time.sleep(0.05)
    return most + 1


def logged(served: Served) -> Counter[str]:
    """The warnings and errors so far, each with how often it was said; requests' own lines are not counted."""
    served.drain()
    found: Counter[str] = Counter()
    for line in served.said:
        try:
            record = json.loads(line)
        except ValueError:
            found[line.strip()[:300]] += 1
            continue
        if record["level"] in ("warning", "error"):
            found[" ".join(str(record["message"]).split())[:300]] += 1
    return found


def quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
