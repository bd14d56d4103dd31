"""Loads aiohttp beside the event loop, which goes on serving meanwhile."""

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp.web import Application

    from edgeworker.host.management.running import Running


async def load_running(make: "Callable[[], Application]") -> "Running":
    await asyncio.to_thread(importlib.import_module, "edgeworker.host.management.running")
    from edgeworker.host.management.running import Running

    return await Running.start(make())
