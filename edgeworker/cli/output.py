"""What a person reads: colours on a terminal, plain lines when piped."""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, Protocol, Self, TextIO

_LEAST_WIDTH: Final = 24


class _Style(Protocol):
    def __call__(self, text: str, style: str) -> str: ...


_ANSI = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def _ansi(text: str, style: str) -> str:
    codes = ";".join(_ANSI[word] for word in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m"


def _plain(text: str, style: str) -> str:
    return text


class Output:
    """Lines, headings and tables on one stream.

    `styled` follows the terminal, NO_COLOR (https://no-color.org) and FORCE_COLOR.
    """

    def __init__(self, stream: TextIO, *, styled: bool) -> None:
        self._stream = stream
        self.styled = styled
        self._style: _Style = _ansi if styled else _plain

    @classmethod
    def for_stream(cls, stream: TextIO | None = None) -> Self:
        target = sys.stdout if stream is None else stream
        terminal = target.isatty() and os.environ.get("TERM") != "dumb"
        styled = (terminal or bool(os.environ.get("FORCE_COLOR"))) and not os.environ.get("NO_COLOR")
        return cls(target, styled=styled)

    def style(self, text: str, style: str) -> str:
        """`text` in that style ("bold", "dim", "green", "bold red", ...), or as it is when piped."""
        return self._style(text, style)

    def line(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)

    def heading(self, text: str) -> None:
        self.line(self.style(text, "bold"))

    def ok(self, text: str) -> None:
        self.line(f"{self.style('✓', 'green') if self.styled else 'ok:'} {text}")

    def fail(self, text: str) -> None:
        self.line(f"{self.style('✗', 'bold red') if self.styled else 'FAILED:'} {text}")

    def note(self, text: str) -> None:
        self.line(self.style(text, "dim"))

    def warning(self, text: str) -> None:
        self.line(f"{self.style('warning:', 'yellow')} {text}")

    def error(self, text: str) -> None:
        self.line(f"{self.style('error:', 'bold red')} {text}")

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        title: str | None = None,
        marked: int | None = None,
    ) -> None:
        """Aligned columns. Every cell is text as it is; on a terminal the row `marked` has an arrow in front.

        There a long last cell is wrapped at words; a word, such as a host name, is never broken. An empty
        table prints nothing, and neither do empty headings.
        """
        cells = [list(row) for row in rows]
        if not cells:
            return
        while len(columns) > 1 and not any(row[len(columns) - 1] for row in cells):
            columns = columns[:-1]  # a column in which nothing stands
            cells = [row[:-1] for row in cells]
        if title:
            self.heading(title)
        width = shutil.get_terminal_size().columns if self.styled else None
        widths = [max(len(row[index]) for row in [list(columns), *cells]) for index in range(len(columns))]
        if any(columns):
            self.note(_aligned(columns, widths, None)[0])
        for index, row in enumerate(cells):
            first, *rest = _aligned(row, widths, width)
            if index == marked and self.styled:
                first = self.style(f"→{first[1:]}", "bold green")
            self.line(first)
            for line in rest:
                self.line(line)


def _aligned(row: Sequence[str], widths: Sequence[int], width: int | None) -> list[str]:
    """The lines of one row; the first begins with two spaces."""
    last = max((index for index, cell in enumerate(row) if cell), default=0)
    before = "  " + "".join(cell.ljust(size) + "  " for cell, size in zip(row[:last], widths[:last], strict=True))
    whole = f"{before}{row[last]}".rstrip()
    if width is None or len(whole) <= width:
        return [whole]
    # Where hardly anything is left of the line, the cell gets lines of its own.
    indent = len(before) if width - len(before) >= _LEAST_WIDTH else 4
    lines = textwrap.wrap(
        row[last], max(width - indent, _LEAST_WIDTH), break_long_words=False, break_on_hyphens=False
    ) or [""]
    wrapped = [" " * indent + line for line in lines]
    return [before + lines[0], *wrapped[1:]] if indent == len(before) else [before.rstrip(), *wrapped]
