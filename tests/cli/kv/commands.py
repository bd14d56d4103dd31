"""Runs `edgeworker kv ...` as a person does, on a data directory or on the API of an edge over a socket."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgeworker.cli import main

TOKEN = "the-edge-token"


@dataclass(frozen=True, slots=True)
class Ran:
    status: int
    content: bytes
    err: str

    @property
    def out(self) -> str:
        return self.content.decode()


@dataclass(frozen=True, slots=True)
class Kv:
    """`place` are the options that say where."""

    place: tuple[str, ...]
    capture: pytest.CaptureFixture[bytes]

    async def __call__(self, *arguments: str, status: int = 0) -> Ran:
        # In a thread: the command has an event loop of its own, and the API runs in the test's.
        ended = await asyncio.to_thread(self._run, [*arguments, *self.place])
        captured = self.capture.readouterr()
        ran = Ran(ended, captured.out, captured.err.decode())
        assert ran.status == status, ran
        return ran

    def _run(self, arguments: list[str]) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["kv", *arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def on_directory(directory: Path) -> tuple[str, ...]:
    return ("--persist-to", str(directory))
