"""What of a project is packed, and what an archive cannot do where it is unpacked."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from edgeworker.errors import ConfigError
from edgeworker.publishing import archive as archive_module
from edgeworker.publishing.archive import InvalidArchive, names_in, pack, unpack


def packed(*members: tuple[str, bytes], mode: int = stat.S_IFREG | 0o644) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.filename = name  # as it is: the library would mend some of them
            info.external_attr = mode << 16
            opened.writestr(info, content)
    return made.getvalue()


def write(folder: Path, *names: str) -> None:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)


def test_a_project_is_packed_without_what_is_a_tools_or_a_secret(tmp_path: Path) -> None:
    write(tmp_path, "wrangler.toml", "src/worker.py", "public/.well-known/security.txt", "python_modules/a/__init__.py")
    write(tmp_path, ".dev.vars", ".dev.vars.production", ".env", ".env.local", ".git/config", "node_modules/a/index.js")
    write(
        tmp_path, ".edgeworker/api-token", "venv/pyvenv.cfg", "venv/lib/a.py", "src/__pycache__/worker.pyc", "old.pyc"
    )

    assert names_in(pack(tmp_path)) == [
        "public/.well-known/security.txt",
        "python_modules/a/__init__.py",
        "src/worker.py",
        "wrangler.toml",
    ]


def test_the_same_project_gives_the_same_bytes_and_comes_out_as_it_went_in(tmp_path: Path) -> None:
    write(tmp_path / "a", "wrangler.toml", "src/worker é.py")
    (tmp_path / "b").mkdir()

    first = pack(tmp_path / "a")
    (tmp_path / "a" / "wrangler.toml").touch()
    unpack(first, tmp_path / "b")

    assert pack(tmp_path / "a") == first == pack(tmp_path / "b")
    assert (tmp_path / "b" / "src" / "worker é.py").read_text() == "src/worker é.py"


@pytest.mark.parametrize(
    "name", ["../out.py", "a/../../out.py", "/etc/out", "a\\..\\out.py", "C:/out", "a:b", "x" * 1100]
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArchive, match="is not a file that a project may have"):
        unpack(packed((name, b"x")), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_link_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive, match="relative paths of regular files only"):
        unpack(packed(("link", b"/etc"), mode=stat.S_IFLNK | 0o777), tmp_path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_or_a_file_that_is_a_folder_too_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArchive, match="is there twice"):
        unpack(packed(("a", b"1"), ("./a", b"2")), tmp_path)
    with pytest.raises(InvalidArchive, match="lies in a folder that is a file too"):
        unpack(packed(("a", b"1"), ("a/b", b"2")), tmp_path)


def test_more_than_it_says_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MOST_BYTES", 1000)
    monkeypatch.setattr(archive_module, "MOST_FILES", 3)

    with pytest.raises(InvalidArchive, match="its files have more than"):
        unpack(packed(("a", b"x" * 600), ("b", b"x" * 600)), tmp_path)
    with pytest.raises(InvalidArchive, match="it has 4 files; at most 3 are taken"):
        unpack(packed(*((name, b"") for name in "cdef")), tmp_path)
    write(tmp_path / "p", *"abcd")
    with pytest.raises(ConfigError, match=": the project has more than 3 files or"):
        pack(tmp_path / "p")
    monkeypatch.setattr(archive_module, "MOST_ARCHIVE_BYTES", 10)
    write(tmp_path / "q", "a")
    with pytest.raises(ConfigError, match=": the packed project has more than 0 MiB"):
        pack(tmp_path / "q")


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", packed(("a", b"abc" * 50))[:-30]])
def test_what_is_not_an_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InvalidArchive, match="not a zip archive that can be read"):
        unpack(content, tmp_path)


def test_what_is_unpacked_is_its_owners_alone(tmp_path: Path) -> None:
    """As all of the data directory: `check --production` tells of what others may read."""
    unpack(packed(("src/worker.py", b"")), tmp_path)

    assert stat.S_IMODE((tmp_path / "src").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "src" / "worker.py").stat().st_mode) == 0o600


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    content = bytearray(packed(("a.py", b"print(1)\n" * 20)))
    content[60] ^= 0xFF

    with pytest.raises(InvalidArchive, match="not a zip archive that can be read"):
        unpack(bytes(content), tmp_path)
