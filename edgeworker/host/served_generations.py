"""Which generation of published workers each process of an edge serves: one file a process, in a folder of the run."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.errors import StoreError
from edgeworker.files import draft_of, is_of_running_process
from edgeworker.strict_json import dumps, loads

_MOST_FILES: Final = 4096


@dataclass(frozen=True, slots=True)
class Serving:
    """`refused` is the newest generation that the process could not serve, and why."""

    generation: int
    refused: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class ServedGenerations:
    """`folder` is made anew with each start of the edge."""

    folder: Path

    def tell(self, serving: Serving) -> None:
        """Raises StoreError."""
        file = self.folder / f"{os.getpid()}.json"
        value = {"generation": serving.generation, "refused": serving.refused, "error": serving.error}
        try:
            with draft_of(file, durable=False) as draft:
                draft.file.write(dumps(value).encode())
        except OSError as error:
            raise StoreError(f"{file}: cannot be written: {error.strerror}") from error

    def read(self) -> list[Serving]:
        """Of the processes that run. Another one's file may be gone, or not be there yet."""
        found = []
        for file in sorted(self.folder.glob("*.json"))[:_MOST_FILES]:
            try:
                if not is_of_running_process(file):
                    continue
                match loads(file.read_bytes()):
                    case {"generation": int(generation), "refused": int(refused), "error": str(error)}:
                        found.append(Serving(generation, refused, error))
                    case _:
                        continue
            except (OSError, ValueError):
                continue
        return found
