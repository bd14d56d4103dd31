"""Faults of the disk, the clock and the name server of another process, by a library that gcc makes and it preloads."""

import mmap
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.cli.running import environment

FAULTY_NAME = "origin.faulty"  # 127.0.0.1, while "names" is not set

Fault = Literal["full", "read", "fsync", "clock", "names"]
_PLACES: dict[Fault, int] = {"full": 0, "read": 1, "fsync": 2, "clock": 3, "names": 4}


def has_compiler() -> bool:
    return shutil.which("gcc") is not None


@dataclass(frozen=True, slots=True)
class Shim:
    """`folder` is what the faults hit."""

    library: Path
    control: Path
    folder: Path

    @classmethod
    def build(cls, place: Path, folder: Path) -> "Shim":
        library, control = place / "shim.so", place / "faults"
        source = Path(__file__).with_name("shim.c")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-w", "-o", library, source, "-ldl"], check=True)
        control.write_bytes(bytes(64))
        return cls(library, control, folder)

    def set(self, fault: Fault, value: int) -> None:
        with self.control.open("r+b") as file, mmap.mmap(file.fileno(), 64) as mapped:
            struct.pack_into("q", mapped, 8 * _PLACES[fault], value)

    @property
    def environment(self) -> dict[str, str]:
        return environment(
            LD_PRELOAD=str(self.library), FAULTS_FILE=str(self.control), FAULTS_FOLDER=str(self.folder.resolve())
        )

    def killing_at(self, change: int) -> dict[str, str]:
        """The environment of a process that is killed before so many changes of files in the folder were made."""
        return {**self.environment, "FAULTS_KILL_AT": str(change)}
