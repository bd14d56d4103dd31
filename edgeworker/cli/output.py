"""What a person reads: colours and boxes on a terminal, plain lines when piped."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Protocol, Self, TextIO


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

    `styled` follows the terminal, NO_COLOR (https://no-color.org) and FORCE_COLOR. Tables are drawn with rich on a
    terminal and as tab-separated-looking aligned columns elsewhere; nothing of rich is imported when piped.
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

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
        """Every cell is text as it is (no markup). An empty table prints nothing."""
        cells = [list(row) for row in rows]
        if not cells:
            return
        if self.styled:
            self._rich_table(columns, cells, title)
        else:
            self._plain_table(columns, cells, title)

    def _plain_table(self, columns: Sequence[str], rows: list[list[str]], title: str | None) -> None:
        if title:
            self.line(title)
        widths = [max(len(row[index]) for row in [list(columns), *rows]) for index in range(len(columns))]
        for row in [list(columns), *rows]:
            text = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.line(f"  {text.rstrip()}")

    def _rich_table(self, columns: Sequence[str], rows: list[list[str]], title: str | None) -> None:
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left", title_style="bold", box=box.ROUNDED, header_style="dim")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*[Text(cell) for cell in row])
        Console(file=self._stream, highlight=False).print(table)
