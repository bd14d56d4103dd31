import os
from pathlib import Path

import pytest

from edgeworker.assets.files import MAX_FILE_BYTES, Files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.txt").write_text("outside")
    site = tmp_path / "site"
    (site / "sub").mkdir(parents=True)
    (site / "a.txt").write_text("a")
    (site / "sub" / "b.txt").write_text("b")
    (site / "out.txt").symlink_to(tmp_path / "secret.txt")
    (site / "out").symlink_to(tmp_path)
    (site / "in.txt").symlink_to(site / "a.txt")
    return site


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/sub/../../secret.txt",
        "/sub/../a.txt",
        "/./a.txt",
        "//a.txt",
        "/..\\secret.txt",
        "/a.txt\0",
        "/a.txt/",
        "/sub",
        "/sub/",
        "",
        "a.txt",
        "/out.txt",
        "/out/secret.txt",
        "/" + "x" * 5000,
        "/\udcff",
        "/a.txt/b",
    ],
)
def test_nothing_but_files_of_the_directory_exists(folder: Path, path: str) -> None:
    assert not Files(folder).exists(path)


async def test_a_file_is_served_as_it_is_now(folder: Path) -> None:
    files = Files(folder)
    first = await files.read("/a.txt")
    (folder / "a.txt").write_text("changed")
    second = await files.read("/a.txt")

    assert first is not None
    assert second is not None
    assert (first.content, second.content) == (b"a", b"changed")
    assert first.etag != second.etag
    assert files.exists("/in.txt")
    assert await files.read("/nothing") is None


async def test_a_large_file_is_read_whole_and_one_beyond_the_limit_not_at_all(folder: Path) -> None:
    (folder / "large.bin").write_bytes(b"x" * 1_000_000)
    (folder / "huge.bin").write_bytes(b"")
    os.truncate(folder / "huge.bin", MAX_FILE_BYTES + 1)
    files = Files(folder)

    large = await files.read("/large.bin")
    assert large is not None
    assert len(large.content) == 1_000_000
    assert not files.exists("/huge.bin")


def test_what_is_ignored_does_not_exist(folder: Path) -> None:
    (folder / ".assetsignore").write_text("sub/\n!sub/b.txt\n*.map\n")
    (folder / "x.map").write_text("")
    (folder / "_headers").write_text("")
    files = Files(folder)

    assert not any(files.exists(path) for path in ("/sub/b.txt", "/x.map", "/_headers", "/.assetsignore"))
    assert files.exists("/a.txt")


@pytest.mark.parametrize(
    "name",
    [
        ".dev.vars",
        ".DEV.VARS",
        ".dev.vars.production",
        ".env",
        ".env.local",
        ".git/config",
        ".wrangler/state/v3/kv/x.sqlite",
        ".edgeworker/api-token",
        ".edgeworker/tls/ca.key",
        "data/kv.sqlite-wal",
        "data/api-token",
    ],
)
def test_secrets_that_lie_among_the_assets_are_none(folder: Path, name: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("secret")
    (folder / ".assetsignore").write_text("!.*\n!*\n")
    (folder / "link.txt").symlink_to(file)
    files = Files(folder)

    assert not files.exists(f"/{name}")
    assert not files.exists("/link.txt")


@pytest.mark.parametrize("name", [".well-known/security.txt", "env", "dev.vars", "a.env", "kv.sqlite.html"])
def test_what_only_looks_like_it_is_served(folder: Path, name: str) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("public")

    assert Files(folder).exists(f"/{name}")
