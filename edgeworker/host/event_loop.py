"""The event loop that an edge runs on: uvloop where it is installed, else asyncio's own."""

import asyncio
import logging
import os
import traceback
from collections.abc import Callable, Coroutine
from typing import Final

_log = logging.getLogger(__name__)

# "asyncio" keeps asyncio's own loop although uvloop is installed.
LOOP_VARIABLE: Final = "EDGEWORKER_EVENT_LOOP"
_GOES_ON: Final = "the loop goes on"


def prepare() -> None:
    """Import what `run` needs: a parent does it once for the processes that it forks."""
    _loop_factory()


def run(main: Coroutine[object, object, None]) -> None:
    """As `asyncio.run`, and a script that stops the loop does not end `main`: its task may call `sys.exit()`, or a
    callback of it `loop.stop()`."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        loop = runner.get_loop()
        work = loop.create_task(main)
        while not work.done():
            waiting = _wait_for(work)
            try:
                runner.run(waiting)
            except (SystemExit, KeyboardInterrupt, RuntimeError) as error:
                if work.done() or not _is_of_script(error):
                    raise
                for task in asyncio.all_tasks(loop):
                    if task.get_coro() is waiting:  # else each such call would leave one behind
                        task.cancel(_GOES_ON)
        work.result()


async def _wait_for(work: asyncio.Task[None]) -> None:
    """Cancels it where this is cancelled, by Ctrl-C."""
    try:
        await asyncio.wait({work})
    except asyncio.CancelledError as error:
        if error.args != (_GOES_ON,):
            work.cancel()
            await asyncio.wait({work})
        raise


def _is_of_script(error: BaseException) -> bool:
    """Whether a script has stopped the loop, which is then logged."""
    from edgeworker.runtime.contract.script_frames import script_of_frame
    from edgeworker.runtime.python import tracebacks

    if isinstance(error, RuntimeError):
        if "Event loop stopped before Future completed" not in str(error):
            return False
        _log.error("a worker has called stop() of the event loop, which all share; the loop goes on")
        return True
    frames = [frame for frame, _line in traceback.walk_tb(error.__traceback__)]
    script = next(filter(None, map(script_of_frame, reversed(frames))), None)
    if script is None and isinstance(error, KeyboardInterrupt):
        return False
    worker = "a worker" if script is None else f'worker "{script.worker}"'
    _log.error(
        "%s: %s in a task or a callback of it, which ends that alone\n%s",
        worker,
        type(error).__name__,
        tracebacks.format_error(error),
    )
    return True


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
