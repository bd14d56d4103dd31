from pathlib import Path

import pytest

from edgeworker import config
from edgeworker.assets import AssetServer
from edgeworker.messages import URL, Headers, Request


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("root")
    (tmp_path / "about.html").write_text("about")
    return tmp_path


def get(path: str, **headers: str) -> Request:
    return Request("GET", URL.parse(f"https://x.example{path}"), Headers(headers))


@pytest.mark.parametrize(
    ("path", "status", "place"),
    [
        ("/docs/", 200, None),
        ("/docs/about", 200, None),
        ("/docs/about.html?q", 307, "/docs/about?q"),
        ("/docs", 307, "/docs/"),
        ("/about", 404, None),
        ("/docsabout", 404, None),
    ],
)
async def test_a_base_path_stands_before_every_file(folder: Path, path: str, status: int, place: str | None) -> None:
    assets = AssetServer(config.Assets(folder, base_path="/docs/"), worker="w", has_script=False)

    response = await assets.fetch(get(path))

    assert (response.status, response.headers.get("location")) == (status, place)


async def test_a_file_that_is_known_already_is_not_sent_again(folder: Path) -> None:
    assets = AssetServer(config.Assets(folder), worker="w", has_script=False)
    etag = (await assets.fetch(get("/about"))).headers.get("etag")
    assert etag is not None

    again = await assets.fetch(get("/about", **{"if-none-match": etag}))

    assert (again.status, again.body, again.headers.get("etag")) == (304, None, etag)


async def test_the_script_answers_what_is_not_a_file(folder: Path) -> None:
    assets = AssetServer(config.Assets(folder), worker="w", has_script=True)

    assert await assets.front(get("/api")) is None
    assert await assets.front(get("/about")) is not None


def test_rules_that_cannot_be_meant_are_told_of(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "_headers").write_text("X: 1\n")
    (folder / "_redirects").write_text("/a\n")

    AssetServer(config.Assets(folder), worker="w", has_script=False)

    assert caplog.messages == [
        'worker "w": _headers: line 1: a path must come before "X: 1"',
        'worker "w": _redirects: line 1: "/a" is not "/from /to" or "/from /to status"',
    ]
