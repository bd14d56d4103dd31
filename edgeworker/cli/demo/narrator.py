"""How the demo tells its story: numbered steps, what was sent, and whether it came out as it must."""

from collections.abc import Sequence
from typing import Final

from edgeworker.cli.output import Output

_INDENT: Final = "   "

# One colour for each part of a JWT, the same in every step.
_COLOURS: Final = ("cyan", "yellow", "green")

SPLIT_TOKEN: Final = (
    "client ──{S}──▶ edge ──{H}.{P}.{S}──▶ API",
    "              ▲",
    "              └─{H}.{P}─ KV ◀─{H}.{P}─ publisher",
)


class Narrator:
    """Counts what was verified. `failed` are the checks that did not hold."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._step = 0
        self.verified = 0
        self.failed: list[str] = []

    def title(self, text: str, explanation: str, picture: Sequence[str] = SPLIT_TOKEN) -> None:
        """In `picture` the words {H}, {P} and {S} are the parts of a JWT, in their colours."""
        style = self._out.style
        parts = {part: style(part, colour) for part, colour in zip("HPS", _COLOURS, strict=True)}
        self._out.heading(text)
        self._out.note(explanation)
        self._out.line()
        for line in picture:
            self._out.line(_INDENT + line.format(**parts))

    def step(self, title: str) -> None:
        self._step += 1
        self._out.line()
        self._out.heading(f"{self._step}. {title}")

    def say(self, text: str) -> None:
        self._out.prose(f"{_INDENT}{text}", hanging=2)

    def note(self, text: str) -> None:
        self._out.prose(_INDENT + self._out.style(text, "dim"), hanging=2)

    def sent(self, text: str) -> None:
        """What went over the wire."""
        self._out.prose(f"{_INDENT}{self._out.style('→', 'bold') if self._out.styled else '>'} {text}", hanging=2)

    def check(self, text: str, holds: bool, *, got: str = "") -> None:
        """`got` says what came instead, for a check that does not hold."""
        if holds:
            self.verified += 1
            mark = self._out.style("✓", "bold green") if self._out.styled else "ok:"
            self._out.prose(f"{_INDENT}{mark} {text}", hanging=2)
        else:
            self.failed.append(text)
            mark = self._out.style("✗", "bold red") if self._out.styled else "FAILED:"
            self._out.prose(f"{_INDENT}{mark} {text}{f' (got: {got})' if got else ''}", hanging=2)

    def token(self, text: str) -> str:
        """A JWT, or the parts of it that are there, shortened and coloured."""
        parts = text.split(".")
        first = 2 if len(parts) == 1 else 0  # alone it is the signature
        return ".".join(self.part(part, first + index) for index, part in enumerate(parts))

    def part(self, text: str, index: int) -> str:
        shown = text if len(text) <= 24 else f"{text[:12]}…{text[-6:]}"
        return self._out.style(shown, _COLOURS[index])

    def end(self) -> bool:
        """The last lines; whether everything was verified."""
        self._out.line()
        if self.failed:
            self._out.fail(f"{len(self.failed)} of {len(self.failed) + self.verified} checks did not hold:")
            for text in self.failed:
                self._out.line(f"{_INDENT}{text}")
            return False
        self._out.ok(f"{self.verified} of {self.verified} checks held.")
        return True
