"""A file that is not TOML or JSON: what is wrong, and the lines around it with a caret. Pure."""

from collections.abc import Iterable


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
            parts.append(f"  {number:>{width}} │ {_visible(lines[number - 1])}".rstrip())
            if number == line:
                parts.append(f"  {' ' * width} ╵ {' ' * (self.column - 1)}^")
        return "\n".join(parts)


def _visible(line: str) -> str:
    """`line` with one cell for each character: nothing in a file may move or colour a terminal."""
    return "".join(character if character.isprintable() else " " for character in line)
