"""Copies what several deployable script folders need from scripts/shared into each of them: `poe copies`.

A worker deploys with what lies in its own folder, so each folder carries its copy; scripts/shared has the one source.
tests/scripts/test_copies.py fails while a copy differs from it.
"""

import shutil
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"
SHARED = SCRIPTS / "shared"

# Folder below scripts/ that deploys by itself -> what it needs of scripts/shared.
COPIES = {
    "oauth/src": ("verifier", "client_network.py"),
    "protected_api": ("verifier",),
    "split_token": ("verifier", "client_network.py"),
}


def expected_copies() -> dict[Path, bytes]:
    """Every copied file with the content that it must have."""
    found: dict[Path, bytes] = {}
    for folder, names in COPIES.items():
        for name in names:
            source = SHARED / name
            for file in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
                found[SCRIPTS / folder / file.relative_to(SHARED)] = file.read_bytes()
    return found


def stale_copies() -> list[Path]:
    """The files that are missing, differ from their source, or have no source any more."""
    expected = expected_copies()
    wrong = [path for path, content in expected.items() if not path.is_file() or path.read_bytes() != content]
    for folder, names in COPIES.items():
        copied = [SCRIPTS / folder / name for name in names]
        present = [file for place in copied for file in ([place] if place.is_file() else place.rglob("*.py"))]
        wrong += [path for path in present if path not in expected]
    return wrong


def write_copies() -> None:
    for folder, names in COPIES.items():
        for name in names:
            shutil.rmtree(SCRIPTS / folder / name, ignore_errors=True)
    for path, content in expected_copies().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    write_copies()
    sys.exit(1 if stale_copies() else 0)
