"""How messages about configuration are printed."""

import io

from edgeworker.cli.diagnostics import show_diagnostics
from edgeworker.cli.output import Output
from edgeworker.schema.diagnostics import Diagnostics


def test_every_heading_has_its_mark_and_errors_come_last() -> None:
    diagnostics = Diagnostics()
    diagnostics.child("A:").error("bad")
    diagnostics.child("B:").warning("odd")
    diagnostics.info("by the way")
    stream = io.StringIO()

    show_diagnostics(Output(stream, styled=False), diagnostics)
    assert stream.getvalue() == "▲ [WARNING] B:\n  - odd\n\n✘ [ERROR] A:\n  - bad\n\n"

    show_diagnostics(Output(stream, styled=False), diagnostics, infos=True)
    assert "[INFO] by the way\n" in stream.getvalue()
