"""How `--help` looks: sentences wrapped at words, examples line by line, a long line's explanation below it."""

import argparse
import re
from typing import Final

from edgeworker.cli.terminal import terminal_columns
from edgeworker.cli.wrapping import wrap

_WIDEST: Final = 100  # longer lines are hard to read
_BELOW: Final = "      "  # where the explanation of a long example stands


class HelpFormatter(argparse.HelpFormatter):
    """For descriptions and epilogs as the docstrings of commands have them."""

    def __init__(self, prog: str, **keywords: object) -> None:
        width = min(terminal_columns(), _WIDEST) - 2
        super().__init__(prog, **{"width": width, **keywords})  # type: ignore[arg-type]  # argparse's own arguments

    def _split_lines(self, text: str, width: int) -> list[str]:
        """Of an option's help. No name is broken at a "-"."""
        return wrap(" ".join(text.split()), width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        blocks = re.split(r"\n[ ]*\n", text.strip("\n"))
        return "\n\n".join(_block(block.split("\n"), width) for block in blocks)


def _block(lines: list[str], width: int) -> str:
    """Lines that are indented stay lines; others are sentences."""
    filled: list[str] = []
    sentences: list[str] = []
    for line in lines:
        if line.startswith(" "):
            filled += [*_wrap_sentences(sentences, width), *_example(line, width)]
            sentences = []
        else:
            sentences.append(line)
    return "\n".join([*filled, *_wrap_sentences(sentences, width)])


def _wrap_sentences(sentences: list[str], width: int) -> list[str]:
    return wrap(" ".join(sentences), width) if sentences else []


def _example(line: str, width: int) -> list[str]:
    if len(line) <= width:
        return [line]
    command, space, explanation = re.split(r"(?<=\S)( {2,}|$)(?=\S|$)", line, maxsplit=1)
    return [command, *(wrap(_BELOW + explanation, width) if space else [])]
