"""What a person reads: colours on a terminal, plain lines when piped."""

import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol, Self, TextIO

from edgeworker.cli.terminal import terminal_columns
from edgeworker.cli.wrapping import width_of, wrap

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

    `styled` follows the terminal, NO_COLOR (https://no-color.org) and FORCE_COLOR. On a terminal what people read is
    wrapped at words; what they may copy (`line`) is not.
    """

    def __init__(self, stream: TextIO, *, styled: bool, wraps: bool | None = None) -> None:
        self._stream = stream
        self.styled = styled
        self._wraps = styled if wraps is None else wraps
        self._style: _Style = _ansi if styled else _plain

    @classmethod
    def for_stream(cls, stream: TextIO | None = None, *, wraps: bool = False) -> Self:
        """With `wraps` it is wrapped when piped, too: for what only people read."""
        target = sys.stdout if stream is None else stream
        terminal = target.isatty() and os.environ.get("TERM") != "dumb"
        styled = (terminal or bool(os.environ.get("FORCE_COLOR"))) and not os.environ.get("NO_COLOR")
        return cls(target, styled=styled, wraps=terminal or wraps)

    @property
    def width(self) -> int | None:
        """The columns of the terminal; None where lines are not wrapped."""
        return terminal_columns() if self._wraps else None

    def style(self, text: str, style: str) -> str:
        """`text` in that style ("bold", "dim", "green", "bold red", ...), or as it is when piped."""
        return self._style(text, style)

    def line(self, text: str = "") -> None:
        """A line as it is: data, commands, what is copied."""
        print(text, file=self._stream, flush=True)

    def prose(self, text: str, *, hanging: int = 0) -> None:
        """Sentences; a line that is too long goes on `hanging` columns further in."""
        width = self.width
        for line in [text] if width is None else wrap(text, width, hanging=hanging):
            self.line(line)

    def heading(self, text: str) -> None:
        self.prose(self.style(text, "bold"))

    def ok(self, text: str) -> None:
        self.prose(f"{self.style('✓', 'green') if self.styled else 'ok:'} {text}", hanging=2)

    def fail(self, text: str) -> None:
        self.prose(f"{self.style('✗', 'bold red') if self.styled else 'FAILED:'} {text}", hanging=2)

    def note(self, text: str) -> None:
        self.prose(self.style(text, "dim"))

    def warning(self, text: str) -> None:
        self.prose(f"{self.style('warning:', 'yellow')} {text}", hanging=2)

    def error(self, text: str) -> None:
        told = f"{self.style('error:', 'bold red')} {text}"
        if "JOURNAL_STREAM" in os.environ:
            import logging

            from edgeworker.cli.journal import is_journal, with_priority

            if is_journal(self._stream, os.environ):
                told = with_priority(told, logging.ERROR)
        self.prose(told, hanging=2)

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        title: str | None = None,
        marked: int | None = None,
        cut: bool = False,
    ) -> None:
        """Aligned columns. Every cell is text as it is; on a terminal the row `marked` has an arrow in front.

        There a long last cell is wrapped at words, in all rows alike; a word, such as a host name, is never broken. An
        empty table prints nothing, and neither do empty headings. With `cut` long last cells end in "…" instead.
        """
        cells = [list(row) for row in rows]
        if not cells:
            return
        while len(columns) > 1 and not any(row[len(columns) - 1] for row in cells):
            columns = columns[:-1]  # a column in which nothing stands
            cells = [row[:-1] for row in cells]
        if title:
            self.heading(title)
        widths = [max(width_of(row[index]) for row in [list(columns), *cells]) for index in range(len(columns))]
        if cut and self.width is not None:
            left = max(self.width - sum(size + 2 for size in widths[:-1]) - 2, 1)
            cells = [[*row[:-1], _cut(row[-1], left)] for row in cells]
            widths[-1] = min(widths[-1], left)
        beside = _columns_beside(widths, self.width)
        if any(columns):
            self.note(_row(columns[:beside], widths))
        for index, row in enumerate(cells):
            first, *rest = _row_lines(columns, row, widths, self.width, beside=beside)
            if index == marked and self.styled:
                first = self.style(f"→{first[1:]}", "bold green")
            self.line(first)
            for line in rest:
                self.line(line)


def _columns_beside(widths: Sequence[int], width: int | None) -> int:
    """How many columns stand beside each other; the others get lines of their own, below.

    The last of all may be wrapped where it stands, if enough is left of the line for it.
    """
    if width is None:
        return len(widths)
    begins = [2 + sum(size + 2 for size in widths[:index]) for index in range(len(widths))]
    if width - begins[-1] >= min(widths[-1], _LEAST_WIDTH):
        return len(widths)
    fitting = [index for index in range(1, len(widths)) if begins[index] - 2 <= width]
    return max(fitting, default=1)


def format_minute(moment: int) -> str:
    """Epoch seconds as a person reads them."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M}Z"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = "".join(
        cell + " " * (size - width_of(cell) + 2) for cell, size in zip(row, widths[: len(row)], strict=True)
    )
    return f"  {padded}".rstrip()


def _row_lines(
    columns: Sequence[str], row: Sequence[str], widths: Sequence[int], width: int | None, *, beside: int
) -> list[str]:
    """The lines of one row; the first begins with two spaces. What stands below has its column's heading in front."""
    if width is None:
        return [_row(row, widths)]
    if beside < len(row):
        below = [
            f"{name}: {cell}" if name else cell
            for name, cell in zip(columns[beside:], row[beside:], strict=True)
            if cell
        ]
        return [_row(row[:beside], widths), *(wrap(f"    {', '.join(below)}", width) if below else [])]
    whole = _row(row, widths)
    column = sum(size + 2 for size in widths[:-1]) + 2
    if width_of(whole) <= width or not row[-1]:
        return [whole]
    first, *rest = wrap(row[-1], max(width - column, _LEAST_WIDTH))
    return [_row([*row[:-1], first], widths), *(" " * column + line for line in rest)]
