"""One event that a script of this engine handles, and what passes between it and the edge."""

from dataclasses import dataclass

from edgeworker.handler import Context


@dataclass(slots=True)
class Invocation:
    """One event that the script handles. `holds` counts why it still may fetch: its answer, its body, waitUntil().
    `is_over`: it exceeded a limit, and nothing more of it runs."""

    id: int
    ctx: Context | None
    cpu_seconds: float = 0.0
    holds: int = 1
    no_retry: bool = False
    is_over: bool = False


@dataclass(slots=True)
class Answer:
    """What a call into the script gave."""

    text: str
    buffer: bytes | None


@dataclass(frozen=True, slots=True)
class OperationFailed(Exception):
    """What an operation throws in the script: the name of the error's class and its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """What an operation gives: a text, and bytes beside it."""

    text: str = ""
    buffer: bytes | None = None
