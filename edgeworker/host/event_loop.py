"""The event loop that an edge runs on: uvloop where it is installed, else asyncio's own."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from typing import Final

_log = logging.getLogger(__name__)

# "asyncio" keeps asyncio's own loop although uvloop is installed.
LOOP_VARIABLE: Final = "EDGEWORKER_EVENT_LOOP"


def prepare() -> None:
    """Import what `run` needs: a parent does it once for the processes that it forks."""
    _loop_factory()


def run(main: Coroutine[object, object, None]) -> None:
    """As `asyncio.run`."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if os.environ.get(LOOP_VARIABLE) == "asyncio":
        return None
    try:
        import uvloop
    except ImportError:  # an extra: pip install 'edgeworker[fast]'
        return None
    from edgeworker.runtime.python.loop_guard import guarded

    _log.debug("the event loop is uvloop")
    return guarded(uvloop.Loop)
