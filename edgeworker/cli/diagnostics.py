"""Prints what is wrong with a configuration, as wrangler prints it."""

from typing import TYPE_CHECKING

from edgeworker.cli.output import Output

if TYPE_CHECKING:
    from edgeworker.schema.diagnostics import Diagnostics


def show_diagnostics(out: Output, diagnostics: "Diagnostics", *, infos: bool = False) -> None:
    """Warnings, then errors; with `infos` before them what is accepted without effect."""
    if infos:
        _show(out, out.style("[INFO]", "dim"), diagnostics.blocks("info"))
    show_warnings(out, diagnostics)
    _show(out, out.style("✘ [ERROR]", "bold red"), diagnostics.blocks("error"))


def show_warnings(out: Output, diagnostics: "Diagnostics") -> None:
    show_warning_blocks(out, diagnostics.blocks("warning"))


def show_warning_blocks(out: Output, blocks: list[str]) -> None:
    _show(out, out.style("▲ [WARNING]", "yellow"), blocks)


def _show(out: Output, mark: str, blocks: list[str]) -> None:
    for block in blocks:
        out.prose(f"{mark} {block}\n", hanging=2)
