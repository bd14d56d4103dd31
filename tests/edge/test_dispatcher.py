"""Requests that the edge answers by its rules alone, before a worker or an origin is asked."""

from pathlib import Path

import pytest

from edgeworker.config import Config, Route, Zone
from edgeworker.messages import URL, Headers, Request
from tests.edge.making import make

CONFIG = Config(
    zones=(Zone("example.com", "z1", origin="http://127.0.0.1:3000"), Zone("other.test", "z2")),
    routes=(Route("example.com/w/*", "w", zone="example.com"),),
)


@pytest.mark.parametrize(
    ("method", "url", "fields", "status"),
    [
        ("TRACE", "http://example.com/", {}, 405),
        ("GET", "http://example.com/a/..%2Fb", {}, 400),
        ("GET", "http://example.com/", {"CDN-Loop": "cloudflare; loops=16"}, 508),
        ("GET", "http://example.com/cdn-cgi/x", {}, 404),
        ("GET", "http://example.com//w/x", {}, 400),
        ("GET", "http://other.test/", {}, 530),
    ],
)
async def test_what_a_rule_answers_is_there_without_waiting(
    tmp_path: Path, method: str, url: str, fields: dict[str, str], status: int
) -> None:
    made = await make(tmp_path, CONFIG, {"w": "async def fetch(self, request):\n    return await fetch(request)"})

    answering = made.edge.fetch(Request(method, URL.parse(url), Headers(fields)))
    with pytest.raises(StopIteration) as ended:
        answering.send(None)

    assert ended.value.value.status == status
