import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from watchfiles import Change

from edgeworker.config import Assets, Config, ProductConfig, Worker, Zone
from edgeworker.host.watching import SourceFilter, changes, files_of_products, find_watched_directories
from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True)
class OfOneFile(ProductConfig):
    file: Path

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.file,)


def test_json_files_matter_to_javascript_workers() -> None:
    assert SourceFilter(has_javascript=True)(Change.modified, "/project/data.json")
    assert not SourceFilter(has_javascript=True)(Change.modified, "/project/node_modules/a.json")


@pytest.mark.parametrize(
    ("name", "matters"),
    [
        ("worker.py", True),
        ("wrangler.toml", True),
        ("wrangler.jsonc", True),
        (".dev.vars", True),
        (".dev.vars.staging", True),
        (".env.local", True),
        ("wrangler.json", True),
        ("public/_headers", True),
        ("public/_redirects", True),
        ("public/.assetsignore", True),
        ("public/index.html", False),
        ("notes.md", False),
        ("out.txt", False),
        ("package.json", False),
        ("kv.sqlite", False),
        ("__pycache__/worker.py", False),
        ("node_modules/a.json", False),
    ],
)
def test_only_what_an_edge_is_made_of_matters(name: str, matters: bool) -> None:
    assert SourceFilter()(Change.modified, f"/project/{name}") is matters


def test_a_file_that_a_product_is_made_of_matters_whatever_its_name_is(tmp_path: Path) -> None:
    product = OfOneFile(tmp_path / "keys" / "provider.json")
    (tmp_path / "keys").mkdir()
    config = Config(zones=(Zone("example.com", "z", products=(product,)),), products=(OfOneFile(tmp_path / "b"),))

    assert files_of_products(config) == {*product.files, tmp_path / "b"}
    assert find_watched_directories(config) == {tmp_path}
    source = SourceFilter(files=files_of_products(config))
    assert source(Change.modified, str(tmp_path / "keys" / "provider.json"))
    assert not source(Change.modified, str(tmp_path / "keys" / "other.json"))


def test_a_directory_inside_another_is_not_watched_twice(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    config = Config(
        workers=(Worker("w", tmp_path / "src" / "worker.py"), Worker("v", tmp_path / "missing" / "v.py")),
        files=(tmp_path / "wrangler.toml",),
    )

    assert find_watched_directories(config) == {tmp_path}


def test_the_files_that_configure_assets_are_watched_where_the_assets_are(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "dist").mkdir()
    worker = Worker("w", tmp_path / "app" / "worker.py", assets=Assets(tmp_path / "dist"))

    assert find_watched_directories(Config(workers=(worker,))) == {tmp_path / "app", tmp_path / "dist"}


async def test_what_was_saved_before_the_watcher_was_ready_is_told_first(tmp_path: Path) -> None:
    for name in ("old.py", "new.py", "pkg/deep.py", "node_modules/no.py", "notes.md"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("x")
    os.utime(tmp_path / "old.py", (1000, 1000))
    stop = asyncio.Event()

    told = changes([tmp_path], stop, since_ms=2_000_000)
    async with asyncio.timeout(PATIENCE_SECONDS):
        first = await anext(told)
    await told.aclose()

    assert first == {tmp_path / "new.py", tmp_path / "pkg" / "deep.py"}


async def test_a_change_is_told_until_it_is_stopped(tmp_path: Path) -> None:
    stop = asyncio.Event()
    file = tmp_path / "worker.py"
    seen: list[frozenset[Path]] = []

    async def watch() -> None:
        async for files in changes([tmp_path], stop, since_ms=2**41):
            seen.append(files)
            stop.set()

    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
        group.create_task(watch())
        while not seen:
            # The watcher says nothing when it is ready; the file is touched until it notices.
            file.write_text("x")
            await asyncio.sleep(0.05)

    assert seen == [{file}]
