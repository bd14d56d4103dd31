"""`edgeworker demo --access` holds every check."""

import asyncio
import io

from edgeworker.cli.demo.access.show import perform
from edgeworker.cli.output import Output


def test_every_step_of_the_access_demo_holds() -> None:
    told = io.StringIO()

    held = asyncio.run(perform(Output(told, styled=False), keep=False))

    assert held, told.getvalue()
    assert "FAILED" not in told.getvalue()
