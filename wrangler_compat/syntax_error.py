"""A file that is not TOML or JSON: what is wrong, and the lines around it with a caret. Pure."""

from collections.abc import Iterable
from typing import Final

_MAX_WIDTH: Final = 100


class DocumentSyntaxError(Exception):
    """A syntax error. `line` and `column` count from 1; `also` are other lines that a reader needs to see."""

    def __init__(self, text: str, *, line: int, column: int, also: Iterable[int] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.line = line
        self.column = column
        self.also = tuple(also)

    def frame(self, source: str, name: str) -> str:
        """`file:line:column:` and the line with a caret under the column, in wrangler's manner."""
        lines = source.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
        line = min(max(self.line, 1), len(lines))
        shown = sorted({other for other in self.also if 1 <= other <= len(lines)} | {line})
        width = len(str(shown[-1]))
        parts = [f"{name}:{self.line}:{self.column}:"]
        for number in shown:
            column = self.column if number == line else 1
            part, column = _cut(_visible(lines[number - 1]), column)
            parts.append(f"  {number:>{width}} │ {part}".rstrip())
            if number == line:
                parts.append(f"  {' ' * width} ╵ {' ' * (column - 1)}^")
        return "\n".join(parts)


def _cut(line: str, column: int) -> tuple[str, int]:
    """What is shown of a long line, such as one of minified JSON, and the column's place in it."""
    begin = max(0, column - _MAX_WIDTH // 2) if len(line) > _MAX_WIDTH else 0
    part = line[begin : begin + _MAX_WIDTH]
    before, after = "…" if begin else "", "…" if begin + _MAX_WIDTH < len(line) else ""
    return f"{before}{part}{after}", column - begin + len(before)


def _visible(line: str) -> str:
    """`line` with one cell for each character: nothing in a file may move or colour a terminal."""
    return "".join(character if character.isprintable() else " " for character in line)
